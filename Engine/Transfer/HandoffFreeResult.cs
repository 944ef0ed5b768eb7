namespace NanoAspire.Engine.Transfer;

/// <summary>The answer to <c>/pd/free</c>.</summary>
/// <param name="Freed">Sequences that this call released.</param>
/// <param name="Unknown">Never parked here, freed before, or expired.</param>
public sealed record HandoffFreeResult(IReadOnlyList<long> Freed, IReadOnlyList<long> Unknown);
