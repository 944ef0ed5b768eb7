using NanoAspire.Ctrl.Security;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl;

/// <summary>What a control plane process was told, checked and complete before it starts.</summary>
internal sealed record CtrlOptions
{
    public const int DefaultPort = 4479;

    /// <summary>Null: the embedded store.</summary>
    public RedisAddress? Redis { get; init; }

    /// <summary>Redis URL that agents are told instead of ours, e.g. a published port.</summary>
    public string? RedisAdvertise { get; init; }

    /// <summary><c>REDIS_PUBLIC_ADDRESS</c>: host:port for agents on other machines. Empty text counts, as it always has.</summary>
    public string? RedisPublicAddress { get; init; }

    /// <summary>Longest wait for one Redis command; beyond it the caller gets a 503.</summary>
    public TimeSpan RedisTimeout { get; init; } = TimeSpan.FromSeconds(2);

    public AccessTokens Tokens { get; init; } = AccessTokens.None;

    /// <summary>How often lapsed leases are looked for; one of several replicas finds each.</summary>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Silence on a watch stream after which a comment is sent.</summary>
    public TimeSpan WatchKeepAlive { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a watch compares revisions even if nothing was announced.</summary>
    public TimeSpan WatchPoll { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Open watch streams; more are refused.</summary>
    public int MaxWatchers { get; init; } = 10_000;
}
