using Microsoft.Extensions.Logging;

namespace NanoAspire.Native.Rdma.OneSided;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Region {Region} of {Peer} is reached by {Path} ({Access}): {Reason}")]
    public static partial void Chosen(this ILogger logger, RegionId region, string peer, string path, string access, string reason);
}
