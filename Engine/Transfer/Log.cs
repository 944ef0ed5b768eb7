using Microsoft.Extensions.Logging;

namespace NanoAspire.Engine.Transfer;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "KV transport {Name} (asked for: {Requested}): {Reason}")]
    public static partial void Transport(this ILogger logger, string name, string requested, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Hand-off {SeqId} expired: nobody freed it within {Seconds} s")]
    public static partial void LeaseExpired(this ILogger logger, long seqId, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Reading {Blocks} KV blocks of hand-off {SeqId} again (attempt {Attempt}): {Reason}")]
    public static partial void Retrying(this ILogger logger, long seqId, int blocks, int attempt, string reason);
}
