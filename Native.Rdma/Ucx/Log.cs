using Microsoft.Extensions.Logging;

namespace NanoAspire.Native.Rdma.Ucx;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Region {Region} is not offered by UCX: {Reason}")]
    public static partial void NotOffered(this ILogger logger, RegionId region, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A UCX worker had to be torn down: operations in flight could not be ended otherwise")]
    public static partial void WorkerKilled(this ILogger logger);
}
