using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.Loopback;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Engine.Transfer;

/// <summary>Makes a transport by the name that <c>--transport</c> takes.</summary>
public static class KvTransports
{
    /// <summary>Two threads saturate the memory of most machines; the rest belongs to the model.</summary>
    private static readonly int CopyThreads = Math.Min(2, Environment.ProcessorCount);

    /// <summary>Names that <see cref="Create"/> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = ["auto", "shm", "ucx", "tcp", "loopback"];

    /// <param name="name">
    /// <c>auto</c>: shared memory between processes of one machine, UCX where it is one-sided, else TCP. <c>shm</c>: shared memory or
    /// an error. <c>ucx</c>: one-sided UCX or an error. <c>tcp</c>: TCP only. <c>loopback</c>: for engines of one process.
    /// </param>
    /// <param name="tcp">Addresses, limits and deadlines of the TCP connections.</param>
    /// <param name="time">Clock of all deadlines.</param>
    /// <param name="loggers">Where the transport logs.</param>
    /// <exception cref="ArgumentException">The name is unknown, or names a transport that this machine does not have.</exception>
    public static IKvTransport Create(string name, TcpTransportOptions tcp, TimeProvider time, ILoggerFactory loggers)
    {
        var transport = new KvTransport(Transport(name, tcp, time, loggers));
        loggers.CreateLogger(typeof(KvTransports)).Transport(transport.Name, name, transport.Reason);
        return transport;
    }

    private static ITransport Transport(string name, TcpTransportOptions tcp, TimeProvider time, ILoggerFactory loggers) => name switch
    {
        "auto" => new AutoTransport(RegionRegistry.Process, tcp, new(), CopyThreads, time, loggers),
        "shm" when SharedArena.IsSupported => new SharedMemoryTransport(RegionRegistry.Process, tcp, tcpFallback: false, CopyThreads, time, loggers),
        "shm" => throw new ArgumentException("transport 'shm' needs Linux; use auto or tcp", nameof(name)),
        "ucx" when UcxLibrary.IsAvailable => new UcxTransport(RegionRegistry.Process, tcp, new(), tcpFallback: false, time, loggers),
        "ucx" => throw new ArgumentException($"transport 'ucx' is not available: {UcxLibrary.Reason}; use auto, shm or tcp", nameof(name)),
        "tcp" => new TcpTransport(RegionRegistry.Process, tcp, time, loggers.CreateLogger<TcpTransport>()),
        "loopback" => new LoopbackTransport(RegionRegistry.Process),
        _ => throw new ArgumentException($"unknown transport '{name}'; known are {string.Join(", ", Names)}", nameof(name)),
    };
}
