namespace NanoAspire.Engine.Transfer;

/// <summary>What a pull did.</summary>
/// <param name="Blocks">Blocks read; those that the prefix cache had are not among them.</param>
/// <param name="Bytes">Bytes read, repeated reads included.</param>
/// <param name="Retries">Attempts after the first one.</param>
public sealed record KvPullResult(int Blocks, long Bytes, int Retries);
