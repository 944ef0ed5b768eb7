namespace NanoAspire.Router.Leases;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "Engine {Engine} could not be told to free {Count} parked sequences ({Reason}); its lease time will")]
    public static partial void ReleaseFailed(ILogger logger, string engine, int count, string reason);

    [LoggerMessage(2, LogLevel.Warning, "Stopping with {Count} parked sequences not yet given back")]
    public static partial void ReleasesLeft(ILogger logger, int count);
}
