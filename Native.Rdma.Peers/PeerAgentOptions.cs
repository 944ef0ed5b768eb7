namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Name, intervals and limits of a <see cref="PeerAgent"/>.</summary>
public sealed record PeerAgentOptions
{
    /// <summary>Unique in the scope, e.g. <c>engine-id:rank</c>; null: the control plane makes one.</summary>
    public string? Alias { get; init; }
    /// <summary>This machine, for people; peers connect to the address of the transport.</summary>
    public string Host { get; init; } = Environment.MachineName;
    /// <summary>How often the wanted connections are compared with the real ones.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>A quarter of the control plane's lease.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(15);
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(2);
    /// <summary>A peer that was silent so often in a row is gone.</summary>
    public int MissedPings { get; init; } = 3;
    /// <summary>Of one attempt, and of one ping.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>Before the second attempt; doubles up to <see cref="MaxRetryDelay"/>.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(250);
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>Attempts to register before the start fails.</summary>
    public int RegisterAttempts { get; init; } = 5;
    /// <summary>Wanted at one time; more are ignored, with a warning.</summary>
    public int MaxPeers { get; init; } = 1024;
    /// <summary>Regions published at one time.</summary>
    public int MaxRegions { get; init; } = 256;
    /// <summary>Longest wait for the control plane when the agent ends.</summary>
    public TimeSpan LeaveTimeout { get; init; } = TimeSpan.FromSeconds(2);
    /// <summary>How often the control plane is told what was moved (<c>obs:peer:*</c>); null: never.</summary>
    public TimeSpan? ReportInterval { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>Which cards the agent publishes.</summary>
    public NicOptions Nics { get; init; } = new();

    public IEnumerable<string> Validate()
    {
        if (Alias is { Length: 0 }) yield return "alias must not be empty";
        if (string.IsNullOrEmpty(Host)) yield return "host must not be empty";
        TimeSpan[] intervals = [PollInterval, HeartbeatInterval, PingInterval, ConnectTimeout, RetryDelay, MaxRetryDelay, LeaveTimeout, ReportInterval ?? TimeSpan.MaxValue];
        if (intervals.Any(static i => i <= TimeSpan.Zero)) yield return "all intervals must be positive";
        if (MissedPings < 1 || RegisterAttempts < 1 || MaxPeers < 1 || MaxRegions < 1) yield return "all limits must be at least 1";
    }
}
