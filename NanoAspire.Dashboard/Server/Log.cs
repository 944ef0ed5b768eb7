using Microsoft.Extensions.Logging;

namespace NanoAspire.Dashboard.Server;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Ports {Ui} and {Otlp} could not be bound; the dashboard takes free ones")]
    public static partial void PortsLost(this ILogger logger, int ui, int otlp, Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "Dashboard page {Path} failed")]
    public static partial void PageFailed(this ILogger logger, string path, Exception failure);
}
