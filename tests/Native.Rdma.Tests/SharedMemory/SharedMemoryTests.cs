using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Tests.SharedMemory;

/// <summary>Mapping, and what happens where it is not possible. Counts mappings of the whole process, so it runs alone.</summary>
[CollectionDefinition(nameof(SharedMemoryTests), DisableParallelization = true)]
public sealed class SharedMemoryCollection;

[Collection(nameof(SharedMemoryTests))]
public sealed class SharedMemoryTests
{
    private const int Size = 1 << 20;

    private readonly RegionRegistry _sourceRegions = new();
    private readonly RegionRegistry _readerRegions = new();

    private static SharedMemoryTransport Transport(RegionRegistry regions, bool fallback, TimeSpan? idle = null) =>
        new(regions, new() { IdleTimeout = idle ?? TimeSpan.FromMinutes(1) }, fallback, copyThreads: 2, TimeProvider.System, NullLoggerFactory.Instance);

    private static TransferRange Whole(RegionId remote, RegionId local) => new() { Remote = remote, RemoteOffset = 0, Local = local, LocalOffset = 0, Length = Size };

    private static int ArenaMappings() => File.ReadLines("/proc/self/maps").Count(static line => line.Contains("nanoaspire-", StringComparison.Ordinal));

    private static RegionDescription Describe(TestMemory memory) => RegionDescription.Of(memory.Export(new()))!.Value;

    [Fact]
    public async Task A_mapped_read_sees_what_the_source_writes_later()
    {
        using var from = TestMemory.Shared(Size).Fill();
        using var to = new TestMemory(Size);
        await using var source = Transport(_sourceRegions, fallback: false);
        await using var reader = Transport(_readerRegions, fallback: false);
        var (remote, local) = (from.Export(_sourceRegions).Id, to.Register(_readerRegions).Id);
        var peer = source.Listen();
        for (var round = 0; round < 3; round++)
        {
            from.Span.Fill((byte)(round + 1));
            Assert.Equal(Size, await reader.ReadAsync(peer, [Whole(remote, local)], token: 0, default));
            Assert.False(to.Span.ContainsAnyExcept((byte)(round + 1)));
        }
        Assert.Equal(1, reader.Mappings);
        Assert.Equal("shm", reader.PathTo(peer, remote));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Private_memory_is_read_over_tcp_or_refused(bool fallback)
    {
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        await using var source = Transport(_sourceRegions, fallback);
        await using var reader = Transport(_readerRegions, fallback);
        var (remote, local) = (from.Export(_sourceRegions).Id, to.Register(_readerRegions).Id);
        for (var round = 0; round < 2; round++)
        {
            var reading = reader.ReadAsync(source.Listen(), [Whole(remote, local)], token: 0, default);
            if (fallback)
            {
                Assert.Equal(Size, await reading);
                Assert.Equal(from.Span, to.Span);
                Assert.Equal("tcp", reader.PathTo(source.Listen(), remote));
            }
            else
            {
                Assert.Equal(TransferCode.NotMappable, (await Assert.ThrowsAsync<TransferException>(() => reading)).Code);
            }
        }
    }

    [Fact]
    public async Task A_plain_tcp_reader_reads_a_source_with_shared_memory_and_the_other_way_round()
    {
        using var from = TestMemory.Shared(Size).Fill();
        using var to = new TestMemory(Size);
        await using var shared = Transport(_sourceRegions, fallback: true);
        await using var plain = new TcpTransport(_readerRegions, new(), TimeProvider.System, NullLogger<TcpTransport>.Instance);
        var (remote, local) = (from.Export(_sourceRegions).Id, to.Register(_readerRegions).Id);
        Assert.Equal(Size, await plain.ReadAsync(shared.Listen(), [Whole(remote, local)], token: 0, default));
        Assert.Equal(from.Span, to.Span);

        var back = to.Export(_readerRegions).Id;
        from.Span.Clear();
        Assert.Equal(Size, await shared.ReadAsync(plain.Listen(), [Whole(back, from.Register(_sourceRegions).Id)], token: 0, default));
        Assert.Equal(to.Span, from.Span);
    }

    [Fact]
    public async Task Regions_that_are_gone_are_unmapped()
    {
        using var from = TestMemory.Shared(Size).Fill();
        using var to = new TestMemory(Size);
        await using var source = Transport(_sourceRegions, fallback: false);
        await using var reader = Transport(_readerRegions, fallback: false);
        var (remote, local) = (from.Export(_sourceRegions), to.Register(_readerRegions).Id);
        var before = ArenaMappings();
        await reader.ReadAsync(source.Listen(), [Whole(remote.Id, local)], token: 0, default);
        Assert.Equal(before + 1, ArenaMappings());
        await _sourceRegions.UnregisterAsync(remote, default);
        var error = await Assert.ThrowsAsync<TransferException>(() => reader.ReadAsync(source.Listen(), [Whole(remote.Id, local)], token: 0, default));
        Assert.Equal(TransferCode.StaleRegion, error.Code);
        Assert.Equal((0, before), (reader.Mappings, ArenaMappings()));
    }

    [Fact]
    public async Task Mappings_that_nobody_uses_are_dropped()
    {
        using var from = TestMemory.Shared(Size).Fill();
        using var to = new TestMemory(Size);
        await using var source = Transport(_sourceRegions, fallback: false);
        await using var reader = Transport(_readerRegions, fallback: false, idle: TimeSpan.FromMilliseconds(50));
        var (remote, local) = (from.Export(_sourceRegions).Id, to.Register(_readerRegions).Id);
        for (var round = 0; round < 2; round++)
        {
            await reader.ReadAsync(source.Listen(), [Whole(remote, local)], token: 0, default);
            for (var i = 0; i < 1000 && reader.Mappings > 0; i++) await Task.Delay(10);
            Assert.Equal(0, reader.Mappings);
        }
    }

    [Fact]
    public async Task A_thousand_arenas_and_readers_leave_no_mapping_and_no_handle()
    {
        using var to = new TestMemory(Size);
        await using var source = Transport(_sourceRegions, fallback: false);
        var local = to.Register(_readerRegions).Id;
        await CycleAsync(20);
        var (mappings, handles) = (ArenaMappings(), Handles());
        await CycleAsync(1000);
        for (var i = 0; i < 1000 && source.ServedConnections > 0; i++) await Task.Delay(5);
        Assert.Equal(mappings, ArenaMappings());
        Assert.InRange(Handles(), 0, handles + 3);

        async Task CycleAsync(int times)
        {
            for (var i = 0; i < times; i++)
            {
                using var from = TestMemory.Shared(Size);
                var region = from.Export(_sourceRegions);
                await using var reader = Transport(_readerRegions, fallback: false);
                Assert.Equal(Size, await reader.ReadAsync(source.Listen(), [Whole(region.Id, local)], token: 0, default));
                await _sourceRegions.UnregisterAsync(region, default);
            }
        }

        static int Handles() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
    }

    [Fact]
    public void Only_the_right_file_on_the_right_machine_is_mapped()
    {
        using var memory = TestMemory.Shared(Size).Fill();
        using var other = TestMemory.Shared(Size);
        var right = Describe(memory);
        using (var mapped = MappedMemory.TryOpen(right, writable: false, copyThreads: 1, out var reason)!)
        {
            Assert.Null(reason);
            unsafe { Assert.Equal(memory.Span, new Span<byte>((void*)mapped.Address, Size)); }
        }
        (string, RegionDescription)[] wrong =
        [
            ("machine", right with { BootId = Guid.NewGuid() }),
            ("process", right with { ProcessId = int.MaxValue }),
            ("handle", right with { FileDescriptor = Describe(other).FileDescriptor }),
            ("no handle", right with { FileDescriptor = 1_000_000 }),
            ("arena", right with { ArenaName = Guid.NewGuid() }),
            ("length", right with { Length = Size + 1 }),
            ("offset", right with { Offset = 1 }),
            ("overflow", right with { Offset = ulong.MaxValue, Length = 2 }),
        ];
        foreach (var (what, description) in wrong)
        {
            using var mapped = MappedMemory.TryOpen(description, writable: false, copyThreads: 1, out var reason);
            Assert.True(mapped is null && reason is { Length: > 0 }, what);
        }
    }

    [Fact]
    public void A_description_survives_the_wire()
    {
        using var memory = TestMemory.Shared(Size);
        var description = Describe(memory);
        var bytes = new byte[RegionDescription.Bytes];
        description.Write(bytes);
        Assert.Equal(description, RegionDescription.Read(bytes));
        Assert.True(description.IsOnThisMachine);
    }

    [Fact]
    public void A_region_in_the_middle_of_an_arena_is_found_and_one_across_its_end_is_not()
    {
        using var memory = TestMemory.Shared(Size);
        var inner = new RegionRegistry().Register("inner", memory.Address + 4096, 8192, RegionAccess.PeersRead);
        Assert.Equal((4096ul, 8192ul), (RegionDescription.Of(inner)!.Value.Offset, RegionDescription.Of(inner)!.Value.Length));
        Assert.Null(RegionDescription.Of(new RegionRegistry().Register("across", memory.Address + 4096, Size, RegionAccess.PeersRead)));
    }
}
