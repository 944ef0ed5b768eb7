using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.TransferPeer;

/// <summary>Transports over the regions of the process.</summary>
internal static class Transports
{
    /// <summary><c>ucx-imitated</c> is the one that no engine makes: UCX over a network without RDMA.</summary>
    public static ITransport Create(string name, TcpTransportOptions options) => name switch
    {
        "tcp" => new TcpTransport(RegionRegistry.Process, options, TimeProvider.System, NullLogger<TcpTransport>.Instance),
        "shm" => new SharedMemoryTransport(RegionRegistry.Process, options, tcpFallback: false, copyThreads: 2, TimeProvider.System, NullLoggerFactory.Instance),
        "ucx" or "ucx-imitated" => new UcxTransport(
            RegionRegistry.Process, options, new() { AcceptImitation = name != "ucx" }, tcpFallback: false, TimeProvider.System, NullLoggerFactory.Instance),
        _ => throw new ArgumentException($"unknown transport '{name}'", nameof(name)),
    };

    /// <summary>Memory that peers reach by the transport.</summary>
    public static (IDisposable Owner, nint Address) Allocate(string transport, long bytes)
    {
        if (transport == "ucx")
        {
            var ucx = UcxArena.TryAllocate(bytes, out var reason) ?? throw new InvalidOperationException(reason);
            return (ucx, ucx.Address);
        }
        var arena = SharedArena.Allocate(bytes);
        return (arena, arena.Address);
    }
}
