using Microsoft.Extensions.Logging;

namespace NanoAspire.Engine.Server.Endpoints;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Error, Message = "Request {Path} failed")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A stream ended early: {Error}")]
    public static partial void StreamFailed(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Draining: no new requests")]
    public static partial void Draining(ILogger logger);
}
