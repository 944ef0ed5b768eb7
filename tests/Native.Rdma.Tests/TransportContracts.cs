using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Loopback;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Native.Rdma.Tests;

public sealed class LoopbackTransportTests : TransportContract
{
    private protected override int Races => 20_000;

    private protected override (ITransport, ITransport) CreatePair()
    {
        var regions = new RegionRegistry();
        return (new LoopbackTransport(regions), new LoopbackTransport(regions));
    }
}

public sealed class TcpTransportContractTests : TransportContract
{
    private protected override (ITransport, ITransport) CreatePair()
    {
        // Small frames: every larger read takes several, on both connections.
        var options = new TcpTransportOptions { FrameBytes = 64 << 10, FrameTimeout = TimeSpan.FromSeconds(30) };
        return (
            new TcpTransport(new RegionRegistry(), options, TimeProvider.System, NullLogger<TcpTransport>.Instance),
            new TcpTransport(new RegionRegistry(), options, TimeProvider.System, NullLogger<TcpTransport>.Instance));
    }
}

public sealed class SharedMemoryTransportContractTests : TransportContract
{
    private protected override TestMemory CreateSource(int length) => TestMemory.Shared(length).Fill();

    private protected override (ITransport, ITransport) CreatePair()
    {
        var options = new TcpTransportOptions { FrameBytes = 16 << 10, FrameTimeout = TimeSpan.FromSeconds(30) };
        return (
            new SharedMemoryTransport(new RegionRegistry(), options, tcpFallback: false, copyThreads: 2, TimeProvider.System, NullLoggerFactory.Instance),
            new SharedMemoryTransport(new RegionRegistry(), options, tcpFallback: false, copyThreads: 2, TimeProvider.System, NullLoggerFactory.Instance));
    }
}

public sealed class AutoTransportContractTests : TransportContract
{
    private protected override TestMemory CreateSource(int length) => TestMemory.Shared(length).Fill();

    private protected override (ITransport, ITransport) CreatePair()
    {
        var options = new TcpTransportOptions { FrameBytes = 16 << 10, FrameTimeout = TimeSpan.FromSeconds(30) };
        return (
            new AutoTransport(new RegionRegistry(), options, new(), copyThreads: 2, TimeProvider.System, NullLoggerFactory.Instance),
            new AutoTransport(new RegionRegistry(), options, new(), copyThreads: 2, TimeProvider.System, NullLoggerFactory.Instance));
    }
}
