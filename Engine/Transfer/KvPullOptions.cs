namespace NanoAspire.Engine.Transfer;

/// <summary>Deadlines and retries of <see cref="KvPuller"/>.</summary>
public sealed record KvPullOptions
{
    /// <summary>The pull as a whole ends after it, plus <see cref="DeadlinePerGigabyte"/> for each 10⁹ bytes.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(10);
    public TimeSpan DeadlinePerGigabyte { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>Further attempts after a broken connection or a corrupt block.</summary>
    public int Retries { get; init; } = 2;
    /// <summary>Wait before the first retry; doubled for each further one.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(50);
    /// <summary>Blocks are read in segments of about this size: one is verified while the next one is on its way.</summary>
    public int SegmentBytes { get; init; } = 32 << 20;
    /// <summary>Threads that verify one segment.</summary>
    public int ChecksumThreads { get; init; } = Math.Min(2, Environment.ProcessorCount);
}
