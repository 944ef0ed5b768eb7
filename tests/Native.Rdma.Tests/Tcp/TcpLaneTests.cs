using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Tests.Tcp;

/// <summary>Large reads, whose frames have threads of their own.</summary>
public sealed class TcpLaneTests : IAsyncDisposable
{
    private const int Size = 32 << 20, Block = 64 << 10, Blocks = Size / Block, Frame = 4 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly RegionRegistry _regions = new();
    private readonly TestMemory _to = new(Size);
    private readonly MemoryRegion _local;
    private readonly TcpTransport _reader;

    public TcpLaneTests()
    {
        _local = _to.Register(_regions);
        _reader = Reader(new() { FrameTimeout = Patience });
    }

    public async ValueTask DisposeAsync()
    {
        await _reader.DisposeAsync();
        _to.Dispose();
    }

    private TcpTransport Reader(TcpTransportOptions options) => new(_regions, options with { ConnectionsPerRead = 1 }, TimeProvider.System, NullLogger<TcpTransport>.Instance);

    private TransferRange Whole(RegionId remote) => new() { Remote = remote, RemoteOffset = 0, Local = _local.Id, LocalOffset = 0, Length = Size };

    [Fact]
    public async Task Large_reads_use_threads_of_their_own_at_both_ends_and_hand_their_result_to_the_pool()
    {
        using var memory = TestMemory.WithPattern(Size);
        var regions = new RegionRegistry();
        await using var source = new TcpTransport(regions, new(), TimeProvider.System, NullLogger<TcpTransport>.Instance);
        var guard = new ThreadGuard();
        var remote = memory.Export(regions, guard).Id;
        var (from, to) = (Shuffled(1), Shuffled(2));
        TransferRange[] ranges = [.. from.Select((block, i) => new TransferRange
        {
            Remote = remote, RemoteOffset = (ulong)block * Block, Local = _local.Id, LocalOffset = (ulong)to[i] * Block, Length = Block,
        })];
        var peer = source.Listen();

        for (var pass = 0; pass < 3; pass++)
        {
            _to.Span.Clear();
            var onLane = await _reader.ReadAsync(peer, ranges, token: 0, default).ContinueWith(
                static read => (read.GetAwaiter().GetResult(), LaneThread.IsCurrent).IsCurrent,
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            Assert.False(onLane);
            for (var i = 0; i < Blocks; i++) Assert.True(memory.Span.Slice(from[i] * Block, Block).SequenceEqual(_to.Span.Slice(to[i] * Block, Block)));
            await _reader.ReadAsync(peer, [ranges[0]], token: 0, default); // over the same connection
        }
        Assert.Contains(true, guard.OnLane);
        Assert.Equal(1, _reader.IdleConnections);
        await AssertNoThreadIsLeftAsync();
    }

    [Fact]
    public async Task More_reads_than_there_may_be_threads_all_arrive()
    {
        using var memory = TestMemory.WithPattern(Size);
        var regions = new RegionRegistry();
        await using var source = new TcpTransport(regions, new(), TimeProvider.System, NullLogger<TcpTransport>.Instance);
        await using var reader = Reader(new() { FrameTimeout = Patience, MaxConnectionsPerPeer = LaneThread.Limit + 2 });
        var (peer, range) = (source.Listen(), Whole(memory.Export(regions).Id));
        var reads = Enumerable.Range(0, LaneThread.Limit + 2).Select(_ => reader.ReadAsync(peer, [range], token: 0, default)).ToArray();
        for (var all = Task.WhenAll(reads); !all.IsCompleted; await Task.Delay(1)) Assert.InRange(LaneThread.Count, 0, LaneThread.Limit);
        await Task.WhenAll(reads);
        Assert.True(memory.Span.SequenceEqual(_to.Span));
        await AssertNoThreadIsLeftAsync();
    }

    [Fact]
    public async Task A_refusal_between_large_frames_arrives_at_once()
    {
        await using var fake = new FakePeer(async (stream, request) =>
        {
            var id = FakePeer.FrameId(request);
            await stream.WriteAsync(FakePeer.Reply(id, id < 3 ? Frame : 0u, id < 3 ? (byte)0 : (byte)TransferCode.StaleRegion));
            if (id < 3) await stream.WriteAsync(new byte[Frame]);
        });
        var started = Stopwatch.GetTimestamp();
        var error = await Assert.ThrowsAsync<TransferException>(() => _reader.ReadAsync(fake.Peer, [Whole(new(0, 1))], token: 0, default));
        Assert.Equal(TransferCode.StaleRegion, error.Code);
        Assert.True(Stopwatch.GetElapsedTime(started) < Patience / 2);
        await AssertNoThreadIsLeftAsync();
    }

    [Fact]
    public async Task A_source_that_stops_within_a_large_frame_is_given_up_in_time_and_holds_no_thread()
    {
        await using var fake = new FakePeer(AnswerHalfAsync);
        await using var impatient = Reader(new() { FrameTimeout = TimeSpan.FromSeconds(2) });
        var read = impatient.ReadAsync(fake.Peer, [Whole(new(0, 1))], token: 0, default);
        await AssertNoThreadIsLeftAsync(); // also while the read waits
        var error = await Assert.ThrowsAsync<TransferException>(() => read.WaitAsync(Patience));
        Assert.Equal(TransferCode.Timeout, error.Code);
    }

    [Fact]
    public async Task A_large_read_can_be_cancelled_while_it_waits()
    {
        var half = new TaskCompletionSource();
        await using var fake = new FakePeer(async (stream, request) =>
        {
            await AnswerHalfAsync(stream, request);
            half.TrySetResult();
        });
        using var stop = new CancellationTokenSource();
        var read = _reader.ReadAsync(fake.Peer, [Whole(new(0, 1))], token: 0, stop.Token);
        await half.Task.WaitAsync(Patience);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Patience / 2));
        Assert.Equal(0, _reader.IdleConnections);
        await AssertNoThreadIsLeftAsync();
    }

    private static async Task AnswerHalfAsync(Stream stream, byte[] request)
    {
        if (FakePeer.FrameId(request) > 1) return;
        await stream.WriteAsync(FakePeer.Reply(1, Frame));
        await stream.WriteAsync(new byte[Frame / 2]);
    }

    private static async Task AssertNoThreadIsLeftAsync()
    {
        for (var started = Stopwatch.GetTimestamp(); LaneThread.Count > 0 && Stopwatch.GetElapsedTime(started) < Patience;) await Task.Delay(5);
        Assert.Equal(0, LaneThread.Count);
    }

    private static int[] Shuffled(int seed)
    {
        var order = Enumerable.Range(0, Blocks).ToArray();
        new Random(seed).Shuffle(order);
        return order;
    }

    private sealed class ThreadGuard : IReadGuard, IDisposable
    {
        public ConcurrentBag<bool> OnLane { get; } = [];

        public IDisposable TryPin(ulong token, ReadOnlySpan<SourceRange> ranges)
        {
            OnLane.Add(LaneThread.IsCurrent);
            return this;
        }

        public void Dispose()
        {
        }
    }
}
