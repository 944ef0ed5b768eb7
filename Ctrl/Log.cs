namespace NanoAspire.Ctrl;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Control plane on {Store}")]
    public static partial void UsingStore(this ILogger logger, string store);

    [LoggerMessage(2, LogLevel.Warning, "Anyone who reaches {Urls} may change the registry: no token is set (--ctrl-token)")]
    public static partial void OpenToTheNetwork(this ILogger logger, string urls);

    /// <summary>The audit line: one for each accepted or refused mutation.</summary>
    [LoggerMessage(3, LogLevel.Information, "audit {Action} {Subject} scope={Scope} from={Remote} by={Caller} -> {Status}")]
    public static partial void Audit(this ILogger logger, string action, string subject, string scope, string remote, string caller, int status);

    /// <summary>A heartbeat changes no data and comes every 15 s from everyone: its audit line needs the level turned up.</summary>
    [LoggerMessage(4, LogLevel.Debug, "audit {Action} {Subject} scope={Scope} from={Remote} by={Caller} -> {Status}")]
    public static partial void AuditRenewal(this ILogger logger, string action, string subject, string scope, string remote, string caller, int status);

    [LoggerMessage(5, LogLevel.Warning, "Redis connection lost: {Reason}")]
    public static partial void RedisLost(this ILogger logger, string reason);

    [LoggerMessage(6, LogLevel.Information, "Redis connection is back")]
    public static partial void RedisRestored(this ILogger logger);

    [LoggerMessage(7, LogLevel.Warning, "Redis has not answered for {Seconds} s: opening a new connection")]
    public static partial void RedisReplaced(this ILogger logger, double seconds);

    [LoggerMessage(8, LogLevel.Warning, "No new connection to Redis: {Reason}")]
    public static partial void RedisReplaceFailed(this ILogger logger, string reason);

    [LoggerMessage(9, LogLevel.Warning, "Cannot subscribe to changes: {Reason}; watchers compare revisions until it works")]
    public static partial void SubscribeFailed(this ILogger logger, string reason);

    [LoggerMessage(10, LogLevel.Information, "{Count} leases lapsed")]
    public static partial void LeasesLapsed(this ILogger logger, int count);

    [LoggerMessage(11, LogLevel.Warning, "Cannot look for lapsed leases: {Reason}")]
    public static partial void SweepFailed(this ILogger logger, string reason);

    [LoggerMessage(12, LogLevel.Error, "{Path} failed")]
    public static partial void RequestFailed(this ILogger logger, string path, Exception exception);

    [LoggerMessage(13, LogLevel.Information, "Took {Count} records of another control plane into the index")]
    public static partial void Adopted(this ILogger logger, int count);
}
