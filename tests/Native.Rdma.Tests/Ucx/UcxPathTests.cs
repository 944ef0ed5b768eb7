using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Tests.Ucx;

/// <summary>What UCX is used for, and what not.</summary>
[Trait("needs", "ucx")]
public sealed class UcxPathTests
{
    private const int Size = 1 << 20;

    private readonly RegionRegistry _sourceRegions = new();
    private readonly RegionRegistry _readerRegions = new();

    private static UcxTransport Transport(RegionRegistry regions, bool fallback) =>
        new(regions, new TcpTransportOptions { FrameTimeout = TimeSpan.FromSeconds(30), ConnectTimeout = TimeSpan.FromSeconds(30) }, new(), fallback, TimeProvider.System, NullLoggerFactory.Instance);

    private static TransferRange Whole(RegionId remote, RegionId local) => new() { Remote = remote, RemoteOffset = 0, Local = local, LocalOffset = 0, Length = Size };

    /// <summary>Where this version and machine would only imitate a one-sided read.</summary>
    private static bool Imitates => Datagrams || !UcxPath.CopiesForeignMemory(UcxLibrary.Version) && !UcxLibrary.HasRdmaDevice;

    private static bool Datagrams => UcxTransportContractTests.DatagramsOnly;

    [Theory(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs)), InlineData(true), InlineData(false)]
    public async Task Memory_that_UCX_could_only_reach_with_the_owners_processor_goes_over_tcp_or_is_refused(bool fallback)
    {
        Assert.SkipUnless(Imitates, "this UCX reads the memory of other processes one-sidedly");
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        await using var source = Transport(_sourceRegions, fallback);
        await using var reader = Transport(_readerRegions, fallback);
        var (remote, local) = (from.Export(_sourceRegions), to.Register(_readerRegions));
        var reading = reader.ReadAsync(source.Listen(), [Whole(remote.Id, local.Id)], token: 0, default);
        if (fallback)
        {
            Assert.Equal(Size, await reading);
            Assert.Equal(from.Span, to.Span);
        }
        else
        {
            Assert.Equal(TransferCode.NotMappable, (await Assert.ThrowsAsync<TransferException>(() => reading)).Code);
        }
        var path = Assert.Single(reader.Paths);
        Assert.Equal(fallback ? "tcp" : "none", path.Path);
        Assert.Contains(Datagrams ? "imitates one-sided transfers" : "no one-sided way", path.Reason, StringComparison.Ordinal);
        await _sourceRegions.UnregisterAsync(remote, default);
        await _readerRegions.UnregisterAsync(local, default);
    }

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    public async Task Memory_of_UCX_is_reached_and_the_path_says_so()
    {
        Assert.SkipWhen(Datagrams, "datagrams alone have no one-sided reads");
        using var from = TestMemory.Ucx(Size).Fill();
        using var to = new TestMemory(Size);
        await using var source = Transport(_sourceRegions, fallback: true);
        await using var reader = Transport(_readerRegions, fallback: true);
        var (remote, local) = (from.Export(_sourceRegions), to.Register(_readerRegions));
        Assert.Equal(Size, await reader.ReadAsync(source.Listen(), [Whole(remote.Id, local.Id)], token: 0, default));
        Assert.Equal(from.Span, to.Span);
        var path = Assert.Single(reader.Paths);
        Assert.Equal(("ucx", "read"), (path.Path, path.Access));
        Assert.Contains($"UCX {UcxLibrary.Version}", path.Reason, StringComparison.Ordinal);
        Assert.Equal("ucx", reader.PathTo(source.Listen(), remote.Id));
        await _sourceRegions.UnregisterAsync(remote, default);
        await _readerRegions.UnregisterAsync(local, default);
    }

    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    public async Task Held_workers_stand_still_for_a_bounded_time_and_do_not_hold_up_one_sided_reads()
    {
        Assert.SkipWhen(Datagrams, "datagrams alone have no one-sided reads");
        using var from = TestMemory.Ucx(Size).Fill();
        using var to = new TestMemory(Size);
        await using var source = Transport(_sourceRegions, fallback: false);
        await using var reader = Transport(_readerRegions, fallback: false);
        var (remote, local) = (from.Export(_sourceRegions), to.Register(_readerRegions));
        var peer = source.Listen();
        Assert.Equal(Size, await reader.ReadAsync(peer, [Whole(remote.Id, local.Id)], token: 0, default)); // connects
        using var control = await TcpConnection.ConnectAsync(peer.Address, new(), TimeProvider.System, default);
        await control.HoldAsync(peer, path: 1, hold: true, default);
        to.Span.Clear();
        Assert.Equal(Size, await reader.ReadAsync(peer, [Whole(remote.Id, local.Id)], token: 0, default).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(from.Span, to.Span);
        await control.HoldAsync(peer, path: 1, hold: false, default);
        await _sourceRegions.UnregisterAsync(remote, default);
        await _readerRegions.UnregisterAsync(local, default);
    }

    [Theory, InlineData("1.13.1", true), InlineData("1.15.0", true), InlineData("1.16.0", false), InlineData("1.18.1", false), InlineData("1.19.0", true), InlineData("1.20.1", true)]
    public void The_loss_of_a_peer_is_reported_where_that_costs_no_one_sided_read(string version, bool reports) =>
        Assert.Equal(reports, UcxPath.ReportsPeerErrors(Version.Parse(version)));

    [Theory, InlineData(0), InlineData(31), InlineData(32), InlineData(40)]
    public void A_description_of_the_wrong_size_is_not_shown_to_UCX(int length) =>
        Assert.Equal(TransferCode.Protocol, Assert.Throws<TransferException>(() => UcxDescription.Read(new byte[length])).Code);

    [Fact]
    public void A_description_survives_the_wire_and_no_length_may_lie()
    {
        var description = new UcxDescription(new(1, 13), 0x1234_5678_9ABC, 77, [1, 2, 3], [4, 5]);
        var bytes = description.ToBytes();
        var read = UcxDescription.Read(bytes);
        Assert.Equal((description.Library, description.Address, description.Length), (read.Library, read.Address, read.Length));
        Assert.Equal(description.WorkerAddress, read.WorkerAddress);
        Assert.Equal(description.Key, read.Key);
        foreach (var at in new[] { 0, 8, 11, 12, 15 })
        {
            var bent = bytes.ToArray();
            bent[at] ^= 0xFF;
            Assert.Throws<TransferException>(() => UcxDescription.Read(bent));
        }
    }
}
