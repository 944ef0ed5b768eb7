using Microsoft.Extensions.Logging;

namespace NanoAspire.Engine.Server.Hosting;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "No peer agent: {Reason}; next attempt in {Seconds} s, hand-offs go on without it")]
    public static partial void PeerFailed(ILogger logger, string reason, double seconds);
}
