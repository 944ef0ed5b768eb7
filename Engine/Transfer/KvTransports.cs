using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.Loopback;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Engine.Transfer;

/// <summary>Makes a transport by the name that <c>--transport</c> takes.</summary>
public static class KvTransports
{
    /// <summary>Names that <see cref="Create"/> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = ["auto", "tcp", "loopback"];

    /// <param name="name"><c>auto</c> (now: <c>tcp</c>), <c>tcp</c>, or <c>loopback</c> for engines of one process.</param>
    /// <param name="tcp">Addresses, limits and deadlines of the TCP transport.</param>
    /// <param name="time">Clock of all deadlines.</param>
    /// <param name="loggers">Where the transport logs.</param>
    /// <exception cref="ArgumentException">The name is unknown, or names a transport that this version does not have.</exception>
    public static IKvTransport Create(string name, TcpTransportOptions tcp, TimeProvider time, ILoggerFactory loggers) => name switch
    {
        "auto" or "tcp" => new KvTransport(new TcpTransport(RegionRegistry.Process, tcp, time, loggers.CreateLogger<TcpTransport>())),
        "loopback" => new KvTransport(new LoopbackTransport(RegionRegistry.Process)),
        "shm" or "ucx" => throw new ArgumentException($"transport '{name}' is not available yet; use auto or tcp", nameof(name)),
        _ => throw new ArgumentException($"unknown transport '{name}'; known are {string.Join(", ", Names)}", nameof(name)),
    };
}
