using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma.OneSided;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>Reaches regions of peers by UCX, where that is truly one-sided: RDMA devices, memory that UCX maps, or the kernel's copy between processes.</summary>
public sealed class UcxTransport : OneSidedTransport
{
    /// <param name="regions">What peers read and transfers write to.</param>
    /// <param name="options">Of the TCP connections that carry checks and pins.</param>
    /// <param name="ucx">How UCX is driven.</param>
    /// <param name="tcpFallback">True: regions that UCX does not reach one-sidedly go over TCP. False: they are refused.</param>
    /// <param name="time">Clock of all deadlines.</param>
    /// <param name="loggers">Where the transport logs.</param>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    /// <exception cref="PlatformNotSupportedException">There is no UCX here; the message says why.</exception>
    public UcxTransport(RegionRegistry regions, TcpTransportOptions options, UcxOptions ucx, bool tcpFallback, TimeProvider time, ILoggerFactory loggers)
        : base("ucx", $"UCX {UcxLibrary.Version} was asked for", [new UcxPath(ucx, options.ConnectTimeout, time, loggers.CreateLogger<UcxTransport>())], tcpFallback, regions, options, time, loggers)
    {
        if (UcxLibrary.Reason is { } reason) throw new PlatformNotSupportedException(reason);
    }
}
