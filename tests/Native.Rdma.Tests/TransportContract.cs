using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Loopback;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Tests;

/// <summary>What every transport keeps, whatever moves the bytes.</summary>
public abstract partial class TransportContract : IAsyncLifetime
{
    private const int Size = 1 << 20;
    private static long _countedLength = 4321;

    private protected RegionRegistry SourceRegions { get; private set; } = null!;
    private protected RegionRegistry ReaderRegions { get; private set; } = null!;
    private protected ITransport Source { get; private set; } = null!;
    private protected ITransport Reader { get; private set; } = null!;
    private protected TestMemory From { get; private set; } = null!;
    private protected TestMemory To { get; } = new(Size);
    private protected MemoryRegion Remote { get; private set; } = null!;
    private protected MemoryRegion Local { get; private set; } = null!;
    private protected GateGuard Guard { get; } = new();
    private protected WriteGrants Grants { get; } = new();

    private protected abstract (ITransport Source, ITransport Reader) CreatePair();

    private protected virtual TestMemory CreateSource(int length) => TestMemory.WithPattern(length);

    public ValueTask InitializeAsync()
    {
        From = CreateSource(Size);
        (Source, Reader) = CreatePair();
        (SourceRegions, ReaderRegions) = (Source.Regions, Reader.Regions);
        Remote = From.Open(SourceRegions, Guard, Grants);
        Local = To.Register(ReaderRegions);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        Guard.Open();
        var patience = TimeSpan.FromSeconds(60);
        await Reader.DisposeAsync().AsTask().WaitAsync(patience);
        await Source.DisposeAsync().AsTask().WaitAsync(patience);
        // Their memory is registered with devices where a transport needs it.
        await SourceRegions.UnregisterAsync(Remote, default).WaitAsync(patience);
        await ReaderRegions.UnregisterAsync(Local, default).WaitAsync(patience);
        From.Dispose();
        To.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected TransferRange Range(ulong remote, ulong local, ulong length) =>
        new() { Remote = Remote.Id, RemoteOffset = remote, Local = Local.Id, LocalOffset = local, Length = length };

    private protected Task<long> ReadAsync(params TransferRange[] ranges) =>
        Reader.ReadAsync(Source.Listen(), ranges, token: 7, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    private protected async Task<TransferCode> FailAsync(params TransferRange[] ranges) =>
        (await Assert.ThrowsAsync<TransferException>(() => ReadAsync(ranges))).Code;

    [Fact]
    public async Task Offsets_mean_what_their_names_say_and_nothing_else_is_touched()
    {
        Assert.Equal(24, await ReadAsync(Range(remote: 16, local: 0, length: 8), Range(remote: 0, local: 8, length: 16)));
        Assert.Equal(From.Span[16..24], To.Span[..8]);
        Assert.Equal(From.Span[..16], To.Span[8..24]);
        Assert.False(To.Span[24..].ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task A_batch_may_read_several_regions()
    {
        using var second = CreateSource(Size);
        second.Span.Reverse();
        var other = second.Open(SourceRegions, Guard, Grants);
        Assert.Equal(300, await ReadAsync(Range(0, 0, 100), Range(16, 100, 100) with { Remote = other.Id }, Range(500, 200, 100)));
        Assert.Equal(From.Span[..100], To.Span[..100]);
        Assert.Equal(second.Span[16..116], To.Span[100..200]);
        Assert.Equal(From.Span[500..600], To.Span[200..300]);
        Reader.Forget(Source.Listen());
        await SourceRegions.UnregisterAsync(other, default).WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_read_is_counted_once()
    {
        var length = Interlocked.Increment(ref _countedLength);               // that nobody else reads
        var (operations, bytes) = (0, 0L);
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "nanoaspire.transfer.operation.bytes") listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) =>
        {
            if (value != length) return;
            Interlocked.Increment(ref operations);
            Interlocked.Add(ref bytes, value);
        });
        listener.Start();
        await ReadAsync(Range(0, 0, (ulong)length));
        Assert.Equal((1, length), (operations, bytes));
    }

    [Theory, InlineData(1), InlineData(16383), InlineData(16384), InlineData(16385), InlineData(262144), InlineData(262145), InlineData(Size)]
    public async Task Every_length_arrives_whole(int length)
    {
        Assert.Equal(length, await ReadAsync(Range(0, 0, (ulong)length)));
        Assert.Equal(From.Span[..length], To.Span[..length]);
        Assert.False(To.Span[length..].ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task A_shuffled_batch_of_mixed_sizes_lands_exactly()
    {
        var random = new Random(5);
        List<TransferRange> ranges = [];
        for (var at = 0; at < Size;)
        {
            var length = Math.Min(random.Next(1, random.Next(2) == 0 ? 400 : 40_000), Size - at);
            ranges.Add(Range((ulong)(Size - at - length), (ulong)at, (ulong)length));
            at += length;
        }
        var shuffled = ranges.ToArray();
        random.Shuffle(shuffled);
        Assert.Equal(Size, await ReadAsync(shuffled));
        foreach (var range in ranges)
            Assert.Equal(From.Span.Slice((int)range.RemoteOffset, (int)range.Length), To.Span.Slice((int)range.LocalOffset, (int)range.Length));
    }

    [Fact]
    public async Task Nothing_to_read_completes_at_once()
    {
        var nobody = new TransferPeer("127.0.0.1:1", Incarnation: 1);
        Assert.Equal(0, await Reader.ReadAsync(nobody, [], token: 0, TestContext.Current.CancellationToken));
        Assert.Equal(0, await Reader.ReadAsync(nobody, [Range(0, 0, 0)], token: 0, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(Size, 1)]
    [InlineData(Size - 1, 2)]
    [InlineData(0, Size + 1)]
    [InlineData(ulong.MaxValue - 7, 8)]
    [InlineData(ulong.MaxValue, 1)]
    public async Task A_remote_range_outside_of_its_region_is_refused(ulong offset, ulong length)
    {
        using var large = new TestMemory(Size * 2);
        var local = large.Register(ReaderRegions);
        var code = await FailAsync(new TransferRange { Remote = Remote.Id, RemoteOffset = offset, Local = local.Id, LocalOffset = 0, Length = length });
        Assert.Equal(TransferCode.OutOfRange, code);
        Assert.Equal(8, await ReadAsync(Range(Size - 8, 0, 8)));
        await ReaderRegions.UnregisterAsync(local, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(Size, 1)]
    [InlineData(0, Size + 1)]
    [InlineData(ulong.MaxValue, 1)]
    [InlineData(1, ulong.MaxValue)]
    public async Task A_local_range_outside_of_its_region_never_leaves_the_reader(ulong offset, ulong length)
    {
        Assert.Equal(TransferCode.OutOfRange, await FailAsync(Range(0, offset, length)));
        Assert.Equal(0, Guard.Asked);
    }

    [Fact]
    public async Task Unknown_stale_and_private_regions_are_told_apart()
    {
        var never = Range(0, 0, 8) with { Remote = new(Remote.Id.Slot + 900, 1) };
        Assert.Equal(TransferCode.UnknownRegion, await FailAsync(never));

        using var secret = TestMemory.WithPattern(64);
        var hidden = secret.Register(SourceRegions);
        Assert.Equal(TransferCode.UnknownRegion, await FailAsync(Range(0, 0, 8) with { Remote = hidden.Id }));

        await SourceRegions.UnregisterAsync(Remote, TestContext.Current.CancellationToken);
        Assert.Equal(TransferCode.StaleRegion, await FailAsync(Range(0, 0, 8)));
        var reused = From.Export(SourceRegions);
        Assert.Equal(Remote.Id.Slot, reused.Id.Slot);
        Assert.Equal(TransferCode.StaleRegion, await FailAsync(Range(0, 0, 8)));
        Assert.Equal(8, await ReadAsync(Range(0, 0, 8) with { Remote = reused.Id }));
    }

    [Fact]
    public async Task Another_incarnation_is_refused()
    {
        var old = Source.Listen() with { Incarnation = SourceRegions.Incarnation + 2 };
        var error = await Assert.ThrowsAsync<TransferException>(() => Reader.ReadAsync(old, [Range(0, 0, 8)], token: 7, TestContext.Current.CancellationToken));
        Assert.Equal(TransferCode.StaleRegion, error.Code);
    }

    [Fact]
    public async Task The_guard_sees_token_and_ranges_and_its_pin_is_returned()
    {
        await ReadAsync(Range(4096, 0, 100));
        Assert.Equal(7ul, Guard.Token);
        Assert.Equal(new SourceRange(4096, 100), Assert.Single(Guard.Ranges));
        Assert.Equal(0, await Guard.PinsAsync(0));

        Guard.Refuses = true;
        Assert.Equal(TransferCode.TokenRefused, await FailAsync(Range(0, 0, 8)));
        Assert.Equal(0, Remote.Pins);
    }

    [Fact]
    public async Task Unregistering_waits_for_the_read_in_flight_and_refuses_the_next()
    {
        Guard.Close();
        var reading = ReadAsync(Range(0, 0, 4096));
        await Guard.AskedAsync(1);
        var unregistering = SourceRegions.UnregisterAsync(Remote, TestContext.Current.CancellationToken);
        Assert.Equal(TransferCode.StaleRegion, await FailAsync(Range(0, 0, 8)));
        Assert.False(unregistering.IsCompleted);
        Guard.Open();
        Assert.Equal(4096, await reading);
        await unregistering.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Cancelling_completes_the_read_and_leaves_the_destination_alone_from_then_on()
    {
        Guard.Close();
        using var cancel = new CancellationTokenSource();
        var reading = Reader.ReadAsync(Source.Listen(), [Range(0, 0, Size)], token: 7, cancel.Token);
        await Guard.AskedAsync(1);
        cancel.Cancel();
        if (Reader is LoopbackTransport) Guard.Open(); // its copy waits in the guard itself
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        To.Span.Fill(0xEE);
        Guard.Open();
        Assert.Equal(0, await Guard.PinsAsync(0));
        Assert.Equal(0, Local.Pins);
        await ReadAsync(Range(0, Size / 2, 8)); // whatever was still under way has passed by now
        To.Span.Slice(Size / 2, 8).Fill(0xEE);
        Assert.False(To.Span.ContainsAnyExcept((byte)0xEE));
    }

    [Fact]
    public async Task Ten_thousand_concurrent_small_reads_all_arrive()
    {
        var peer = Source.Listen();
        var reads = Enumerable.Range(0, 10_000)
            .Select(i => Reader.ReadAsync(peer, [Range((ulong)((i * 7919) % 10_000) * 64, (ulong)i * 64, 64)], token: 7, TestContext.Current.CancellationToken));
        Assert.Equal(640_000, (await Task.WhenAll(reads).WaitAsync(TimeSpan.FromSeconds(120), TestContext.Current.CancellationToken)).Sum());
        for (var i = 0; i < 10_000; i++)
            Assert.Equal(From.Span.Slice(i * 7919 % 10_000 * 64, 64), To.Span.Slice(i * 64, 64));
        Assert.Equal(0, Local.Pins);
    }

    [Fact]
    public async Task Disposing_ends_the_reads_in_flight_and_refuses_new_ones()
    {
        Guard.Close();
        var reading = ReadAsync(Range(0, 0, Size));
        await Guard.AskedAsync(1);
        var disposing = Reader.DisposeAsync().AsTask();
        if (Reader is LoopbackTransport) Guard.Open();
        var outcome = await Record.ExceptionAsync(() => reading);
        Assert.True(outcome is ObjectDisposedException || Reader is LoopbackTransport && outcome is null, $"{outcome}");
        Guard.Open();
        await disposing.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(0, Local.Pins);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ReadAsync(Range(0, 0, 8)));
    }
}
