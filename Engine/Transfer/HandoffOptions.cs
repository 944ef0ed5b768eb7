namespace NanoAspire.Engine.Transfer;

/// <summary>Who hands off, and the limits of it.</summary>
public sealed record HandoffOptions
{
    public required string EngineId { get; init; }
    /// <summary>Of the engine process, as registered (<c>EngineDescriptor.Incarnation</c>).</summary>
    public required string Incarnation { get; init; }
    /// <summary>How long parked blocks are kept for a decode engine; <see cref="EngineOptions.HandoffLease"/>.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>Sequences parked at one time; more are refused with <see cref="KvTransferException.HandoffFull"/>.</summary>
    public int MaxParked { get; init; } = 1024;
    /// <summary>Threads that one hand-off may use for checksums.</summary>
    public int ChecksumThreads { get; init; } = Math.Min(4, Environment.ProcessorCount);

    public IEnumerable<string> Validate()
    {
        if (string.IsNullOrEmpty(EngineId)) yield return "engine id must not be empty";
        if (string.IsNullOrEmpty(Incarnation)) yield return "incarnation must not be empty";
        if (Lease <= TimeSpan.Zero) yield return "handoff-lease must be positive";
        if (MaxParked < 1) yield return "max parked sequences must be at least 1";
        if (ChecksumThreads < 1) yield return "checksum threads must be at least 1";
    }
}
