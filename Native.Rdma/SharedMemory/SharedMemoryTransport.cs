using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma.OneSided;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.SharedMemory;

/// <summary>Reaches regions of other processes on this machine through a mapping: one memory copy.</summary>
public sealed class SharedMemoryTransport : OneSidedTransport
{
    /// <param name="regions">What peers read and transfers write to.</param>
    /// <param name="options">Of the TCP connections.</param>
    /// <param name="tcpFallback">True: regions that cannot be mapped are read over TCP. False: they are refused.</param>
    /// <param name="copyThreads">Threads that copy one read.</param>
    /// <param name="time">Clock of all deadlines.</param>
    /// <param name="loggers">Where the transport logs.</param>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public SharedMemoryTransport(
        RegionRegistry regions, TcpTransportOptions options, bool tcpFallback, int copyThreads, TimeProvider time, ILoggerFactory loggers)
        : base("shm", "shared memory was asked for", [new MappedPath(copyThreads)], tcpFallback, regions, options, time, loggers) =>
        ArgumentOutOfRangeException.ThrowIfLessThan(copyThreads, 1);
}
