using System.Net;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Native.Rdma.Tcp;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Transfer listener on {Address}")]
    public static partial void Listening(this ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Accepting a transfer connection failed: {Reason}")]
    public static partial void AcceptFailed(this ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a transfer connection: {Limit} are open")]
    public static partial void TooManyConnections(this ILogger logger, int limit);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Peer} sent something that is not a transfer request; connection closed")]
    public static partial void BadRequest(this ILogger logger, EndPoint? peer);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Transfer reader {Peer} is gone: {Reason}")]
    public static partial void ReaderGone(this ILogger logger, EndPoint? peer, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Transfer reader {Peer} stalled or stayed idle; connection closed")]
    public static partial void ReaderStalled(this ILogger logger, EndPoint? peer);

    [LoggerMessage(Level = LogLevel.Error, Message = "Serving a transfer connection failed")]
    public static partial void ConnectionFailed(this ILogger logger, Exception error);
}
