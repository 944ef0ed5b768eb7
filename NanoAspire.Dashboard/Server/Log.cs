using Microsoft.Extensions.Logging;

namespace NanoAspire.Dashboard.Server;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "A port of the dashboard was taken while it started; it takes free ones")]
    public static partial void PortsLost(this ILogger logger, Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "Dashboard page {Path} failed")]
    public static partial void PageFailed(this ILogger logger, string path, Exception failure);
}
