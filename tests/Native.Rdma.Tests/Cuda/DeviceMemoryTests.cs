using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Cuda;
using NanoAspire.Native.Rdma.Loopback;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Tests.Cuda;

/// <summary>Which way takes memory of a device. Without one, regions merely say that they are: nothing may touch their bytes by the processor.</summary>
public sealed class DeviceMemoryTests
{
    private const int Size = 1 << 20;
    private const int MemoryType = 2, IsManaged = 8;

    [Theory]
    [InlineData(null, null, MemoryKind.Host)]
    [InlineData(1, 0, MemoryKind.Host)]
    [InlineData(2, 0, MemoryKind.Cuda)]
    [InlineData(2, 1, MemoryKind.CudaManaged)]
    [InlineData(1, 1, MemoryKind.CudaManaged)]
    [InlineData(2, null, MemoryKind.Cuda)]
    public void The_driver_says_what_a_pointer_is(int? type, int? managed, MemoryKind kind) =>
        Assert.Equal(kind, CudaPointers.KindOf(4096, (address, attribute) => (address, attribute) switch
        {
            (4096, MemoryType) => type,
            (4096, IsManaged) => managed,
            _ => throw new InvalidOperationException("not asked for"),
        }));

    [Fact]
    public void Without_a_driver_memory_is_the_hosts()
    {
        using var memory = new TestMemory(64);
        Assert.Equal(MemoryKind.Host, CudaPointers.KindOf(memory.Address, query: null));
        Assert.Equal(MemoryKind.Host, memory.Export(new RegionRegistry()).Kind);
    }

    [Theory]
    [InlineData(MemoryKind.Host, 0b001, true, true)]
    [InlineData(MemoryKind.Cuda, 0b001, false, false)]
    [InlineData(MemoryKind.Cuda, 0b011, false, true)]
    [InlineData(MemoryKind.CudaManaged, 0b001, true, false)]
    [InlineData(MemoryKind.CudaManaged, 0b111, true, true)]
    public void Each_way_takes_what_it_can_carry(MemoryKind kind, ulong ucxTypes, bool processor, bool ucx)
    {
        Assert.Equal(processor, DeviceAccess.RefusalOfProcessor(kind) is null);
        var refusal = DeviceAccess.RefusalOfUcx(kind, new(1, 13, 1), ucxTypes);
        Assert.Equal(ucx, refusal is null);
        if (!ucx) Assert.Contains("UCX 1.13.1", refusal, StringComparison.Ordinal);
    }

    [Theory, InlineData("tcp", 64), InlineData("tcp", Size), InlineData("loopback", 64), InlineData("auto", 64), InlineData("auto", Size)]
    public async Task Memory_of_a_device_never_passes_through_the_processor(string name, int bytes)
    {
        var (here, there) = (new RegionRegistry(), new RegionRegistry());
        if (name == "loopback") there = here;
        await using var source = Create(name, there);
        await using var reader = Create(name, here);
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var device = there.Register("device", from.Address, Size, RegionAccess.PeersRead, kind: MemoryKind.Cuda);
        var host = there.Register("host", from.Address, Size, RegionAccess.PeersRead, kind: MemoryKind.CudaManaged);
        var deviceHere = here.Register("device here", to.Address, Size, RegionAccess.Local, kind: MemoryKind.Cuda);
        var hostHere = here.Register("host here", to.Address, Size, RegionAccess.Local, kind: MemoryKind.Host);
        var peer = source.Listen();
        foreach (var (remote, local) in new[] { (device, hostHere), (host, deviceHere), (device, deviceHere) })
        {
            var error = await Assert.ThrowsAsync<TransferException>(() => reader.ReadAsync(peer, [Range(remote, local, bytes)], 0, default));
            Assert.Equal(TransferCode.DeviceMemory, error.Code);
            Assert.False(error.IsTransient);
        }
        Assert.False(to.Span.ContainsAnyExcept((byte)0));
        Assert.Equal(bytes, await reader.ReadAsync(peer, [Range(host, hostHere, bytes)], 0, default));
        Assert.Equal(from.Span[..bytes], to.Span[..bytes]);
    }

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    [Trait("needs", "ucx")]
    public async Task A_UCX_without_CUDA_says_so_instead_of_touching_the_memory()
    {
        Assert.Equal(1UL, UcpContext.Process.MemoryTypes & 1);
        Assert.SkipUnless((UcpContext.Process.MemoryTypes & 2) == 0, "this UCX knows CUDA");
        var (here, there) = (new RegionRegistry(), new RegionRegistry());
        await using var source = Create("ucx", there);
        await using var reader = Create("ucx", here);
        using var from = TestMemory.Ucx(Size).Fill();
        using var to = new TestMemory(Size);
        var device = there.Register("device", from.Address, Size, RegionAccess.PeersRead, kind: MemoryKind.Cuda);
        var host = there.Register("host", from.Address, Size, RegionAccess.PeersRead);
        var deviceHere = here.Register("device here", to.Address, Size, RegionAccess.Local, kind: MemoryKind.Cuda);
        var hostHere = here.Register("host here", to.Address, Size, RegionAccess.Local);
        var peer = source.Listen();
        var error = await Assert.ThrowsAsync<TransferException>(() => reader.ReadAsync(peer, [Range(device, hostHere, Size)], 0, default));
        Assert.Equal(TransferCode.NotMappable, error.Code);
        error = await Assert.ThrowsAsync<TransferException>(() => reader.ReadAsync(peer, [Range(host, deviceHere, Size)], 0, default));
        Assert.Equal(TransferCode.DeviceMemory, error.Code);
        Assert.Contains("built without CUDA", error.Message, StringComparison.Ordinal);
        Assert.False(to.Span.ContainsAnyExcept((byte)0));
        Assert.Equal(Size, await reader.ReadAsync(peer, [Range(host, hostHere, Size)], 0, default));
        foreach (var region in new[] { device, host }) await there.UnregisterAsync(region, default);
        foreach (var region in new[] { deviceHere, hostHere }) await here.UnregisterAsync(region, default);
    }

    private static TransferRange Range(MemoryRegion remote, MemoryRegion local, int bytes) =>
        new() { Remote = remote.Id, RemoteOffset = 0, Local = local.Id, LocalOffset = 0, Length = (ulong)bytes };

    private static ITransport Create(string name, RegionRegistry regions)
    {
        var options = new TcpTransportOptions { FrameTimeout = TimeSpan.FromSeconds(30) };
        return name switch
        {
            "tcp" => new TcpTransport(regions, options, TimeProvider.System, NullLogger<TcpTransport>.Instance),
            "loopback" => new LoopbackTransport(regions),
            "ucx" => new UcxTransport(regions, options, new(), tcpFallback: false, TimeProvider.System, NullLoggerFactory.Instance),
            _ => new AutoTransport(regions, options, new(), copyThreads: 1, TimeProvider.System, NullLoggerFactory.Instance),
        };
    }
}
