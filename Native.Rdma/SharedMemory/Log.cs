using Microsoft.Extensions.Logging;

namespace NanoAspire.Native.Rdma.SharedMemory;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Mapped region {Region} of {Peer}: {Bytes} bytes")]
    public static partial void Mapped(this ILogger logger, RegionId region, string peer, ulong bytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Region {Region} of {Peer} is not read through shared memory: {Reason}")]
    public static partial void NotMapped(this ILogger logger, RegionId region, string peer, string reason);
}
