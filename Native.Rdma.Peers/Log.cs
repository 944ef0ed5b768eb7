using Microsoft.Extensions.Logging;

namespace NanoAspire.Native.Rdma.Peers;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Peer agent {Alias} at {Address}, incarnation {Incarnation:x16}")]
    public static partial void Started(this ILogger logger, string alias, string address, ulong incarnation);

    [LoggerMessage(2, LogLevel.Warning, "The control plane does not know {Alias} any more: registering again")]
    public static partial void Forgotten(this ILogger logger, string alias);

    [LoggerMessage(3, LogLevel.Warning, "{Alias} cannot reach the control plane: {Reason}; connections stay as they are")]
    public static partial void ControlLost(this ILogger logger, string alias, string reason);

    [LoggerMessage(4, LogLevel.Information, "{Alias} reaches the control plane again")]
    public static partial void ControlBack(this ILogger logger, string alias);

    [LoggerMessage(5, LogLevel.Error, "The alias {Alias} was taken over by another agent: this one stops")]
    public static partial void Superseded(this ILogger logger, string alias);

    [LoggerMessage(6, LogLevel.Information, "{Alias} is connected to {Peer} at {Address} by {Transport}")]
    public static partial void Connected(this ILogger logger, string alias, string peer, string address, string transport);

    [LoggerMessage(7, LogLevel.Warning, "{Alias} is not connected to {Peer}: {Cause}")]
    public static partial void Disconnected(this ILogger logger, string alias, string peer, string cause);

    [LoggerMessage(8, LogLevel.Warning, "{Alias} is asked for {Count} connections, more than {Limit}: the rest is ignored")]
    public static partial void TooMany(this ILogger logger, string alias, int count, int limit);

    [LoggerMessage(9, LogLevel.Warning, "{Alias} could not sign off: {Reason}; its lease will lapse")]
    public static partial void LeaveFailed(this ILogger logger, string alias, string reason);

    [LoggerMessage(10, LogLevel.Error, "{Alias} stumbled while {Doing}, and goes on")]
    public static partial void Stumbled(this ILogger logger, string alias, string doing, Exception error);

    [LoggerMessage(11, LogLevel.Warning, "{Alias} cannot report how it fares: {Reason}")]
    public static partial void ReportFailed(this ILogger logger, string alias, string reason);
}
