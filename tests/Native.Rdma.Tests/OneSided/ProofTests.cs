using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.OneSided;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Tests.OneSided;

/// <summary>A path is believed to be one-sided when its copies arrive while the owner stands still.</summary>
public sealed class ProofTests
{
    private const int Size = 1 << 20;

    private readonly RegionRegistry _sourceRegions = new();
    private readonly RegionRegistry _readerRegions = new();

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_path_that_needs_the_owner_is_not_used_a_second_time(bool oneSided, bool fallback)
    {
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var path = new SuspectPath(from.Address, oneSided);
        await using var source = new SuspectTransport(_sourceRegions, path, fallback, TimeSpan.FromSeconds(30));
        // What is one-sided may take long on a busy machine; what is not takes for ever.
        await using var reader = new SuspectTransport(_readerRegions, path, fallback, oneSided ? TimeSpan.FromSeconds(30) : TimeSpan.FromMilliseconds(50));
        var (remote, local) = (from.Export(_sourceRegions).Id, to.Register(_readerRegions).Id);
        for (var round = 0; round < 3; round++)
        {
            var reading = reader.ReadAsync(source.Listen(), [Whole(remote, local)], token: 0, default).WaitAsync(TimeSpan.FromSeconds(60));
            if (oneSided || fallback)
            {
                Assert.Equal(Size, await reading);
                Assert.Equal(from.Span, to.Span);
            }
            else
            {
                Assert.Equal(TransferCode.NotMappable, (await Assert.ThrowsAsync<TransferException>(() => reading)).Code);
            }
        }
        Assert.Equal(oneSided ? 3 : 1, path.Copies);
        Assert.Equal(1, path.Holds); // one proof is enough, either way
        Assert.False(path.IsHeld);
        Assert.Equal(oneSided ? "suspect" : fallback ? "tcp" : "none", Assert.Single(reader.Paths).Path);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_options_that_are_the_default_leave_a_proof_its_time(bool fallback)
    {
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var path = new SuspectPath(from.Address, oneSided: false);
        await using var source = new SuspectTransport(_sourceRegions, path, fallback);
        await using var reader = new SuspectTransport(_readerRegions, path, fallback);
        var (remote, local) = (from.Export(_sourceRegions).Id, to.Register(_readerRegions).Id);
        var reading = reader.ReadAsync(source.Listen(), [Whole(remote, local)], token: 0, default).WaitAsync(TimeSpan.FromSeconds(60));
        if (fallback) Assert.Equal(Size, await reading);
        else Assert.Equal(TransferCode.NotMappable, (await Assert.ThrowsAsync<TransferException>(() => reading)).Code);
    }

    [Fact]
    public async Task A_proof_that_takes_its_time_holds_up_nobody_elses()
    {
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        RegionRegistry otherRegions = new();
        var (stuck, honest) = (new SuspectPath(from.Address, oneSided: false), new SuspectPath(from.Address, oneSided: true));
        await using var slow = new SuspectTransport(_sourceRegions, stuck, fallback: false);
        await using var fast = new SuspectTransport(otherRegions, honest, fallback: false);
        var opened = 0;
        await using var reader = new SuspectTransport(_readerRegions, new SuspectPath(from.Address, oneSided: true) { Opened = () => Interlocked.Increment(ref opened) == 1 ? stuck : honest }, fallback: false, TimeSpan.FromSeconds(30));
        var (remote, other, local) = (from.Export(_sourceRegions).Id, from.Export(otherRegions).Id, to.Register(_readerRegions).Id);
        var first = reader.ReadAsync(slow.Listen(), [Whole(remote, local)], token: 0, default);
        while (!stuck.IsHeld) await Task.Delay(1);
        Assert.Equal(Size, await reader.ReadAsync(fast.Listen(), [Whole(other, local)], token: 0, default).WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.False(first.IsCompleted);
        stuck.Hold(false);
        await first.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Reads_that_hold_every_connection_do_not_keep_the_first_one_from_its_proof()
    {
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var path = new SuspectPath(from.Address, oneSided: true);
        await using var source = new SuspectTransport(_sourceRegions, path, fallback: false, TimeSpan.FromSeconds(30));
        await using var reader = new SuspectTransport(_readerRegions, path, fallback: false, TimeSpan.FromSeconds(30), connections: 2);
        var (remote, local) = (from.Export(_sourceRegions).Id, to.Register(_readerRegions).Id);
        var reads = Enumerable.Range(0, 8).Select(_ => reader.ReadAsync(source.Listen(), [Whole(remote, local)], token: 0, default)).ToArray();
        await Task.WhenAll(reads).WaitAsync(TimeSpan.FromSeconds(45));
        Assert.Equal(from.Span, to.Span);
        Assert.Equal(1, path.Holds);
    }

    [Fact]
    public async Task A_burst_of_first_reads_opens_the_region_once()
    {
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var path = new SuspectPath(from.Address, oneSided: true) { OpenDelay = TimeSpan.FromMilliseconds(50) };
        await using var source = new SuspectTransport(_sourceRegions, path, fallback: false, TimeSpan.FromSeconds(30));
        await using var reader = new SuspectTransport(_readerRegions, path, fallback: false, TimeSpan.FromSeconds(30));
        var (remote, local) = (from.Export(_sourceRegions).Id, to.Register(_readerRegions).Id);
        TransferRange piece = new() { Remote = remote, RemoteOffset = 0, Local = local, LocalOffset = 0, Length = 64 };
        await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => reader.ReadAsync(source.Listen(), [piece], token: 0, default))).WaitAsync(TimeSpan.FromSeconds(45));
        Assert.Equal(1, path.Opens);
    }

    [Fact]
    public async Task A_read_that_is_cancelled_while_it_opens_the_region_leaves_that_to_the_next_one()
    {
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var path = new SuspectPath(from.Address, oneSided: true) { OpenDelay = TimeSpan.FromSeconds(1) };
        await using var source = new SuspectTransport(_sourceRegions, path, fallback: false, TimeSpan.FromSeconds(30));
        await using var reader = new SuspectTransport(_readerRegions, path, fallback: false, TimeSpan.FromSeconds(30));
        var (remote, local) = (from.Export(_sourceRegions).Id, to.Register(_readerRegions).Id);
        TransferRange piece = new() { Remote = remote, RemoteOffset = 0, Local = local, LocalOffset = 0, Length = 64 };
        using var cancel = new CancellationTokenSource();
        var first = reader.ReadAsync(source.Listen(), [piece], token: 0, cancel.Token);
        while (path.Opens == 0) await Task.Delay(1);
        var second = reader.ReadAsync(source.Listen(), [piece], token: 0, default);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal(64, await second.WaitAsync(TimeSpan.FromSeconds(45)));
        Assert.Equal(2, path.Opens);
    }

    [Fact]
    public async Task A_path_whose_connection_needs_the_owner_is_connected_before_it_is_judged()
    {
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        var path = new SuspectPath(from.Address, oneSided: true) { ConnectsByOwner = true };
        await using var source = new SuspectTransport(_sourceRegions, path, fallback: false, TimeSpan.FromSeconds(30));
        await using var reader = new SuspectTransport(_readerRegions, path, fallback: false, TimeSpan.FromSeconds(2));
        var (remote, local) = (from.Export(_sourceRegions).Id, to.Register(_readerRegions).Id);
        Assert.Equal(Size, await reader.ReadAsync(source.Listen(), [Whole(remote, local)], token: 0, default).WaitAsync(TimeSpan.FromSeconds(45)));
        Assert.Equal(from.Span, to.Span);
    }

    private static TransferRange Whole(RegionId remote, RegionId local) => new() { Remote = remote, RemoteOffset = 0, Local = local, LocalOffset = 0, Length = Size };

    private sealed class SuspectTransport : OneSidedTransport
    {
        /// <summary>As engines make it.</summary>
        public SuspectTransport(RegionRegistry regions, SuspectPath path, bool fallback)
            : base("suspect", "a test", [path], fallback, regions, new TcpTransportOptions(), TimeProvider.System, NullLoggerFactory.Instance)
        {
        }

        public SuspectTransport(RegionRegistry regions, SuspectPath path, bool fallback, TimeSpan patience, int connections = 8)
            : base("suspect", "a test", [path], fallback, regions, new TcpTransportOptions { FrameTimeout = TimeSpan.FromSeconds(60), MaxConnectionsPerPeer = connections }, TimeProvider.System, NullLoggerFactory.Instance) =>
            ProofPatience = patience;
    }

    /// <summary>Both ends of a path whose copies may wait for the owner to go on.</summary>
    private sealed class SuspectPath(nint address, bool oneSided) : IOneSidedPath, IRemoteMemory
    {
        private TaskCompletionSource _running = Completed();
        private int _copies;
        private int _opens;
        private bool _connected;

        public TimeSpan OpenDelay { get; init; }
        public bool ConnectsByOwner { get; init; }
        /// <summary>The memory to give instead of this one.</summary>
        public Func<IRemoteMemory>? Opened { get; init; }
        public int Opens => Volatile.Read(ref _opens);
        public int Copies => Volatile.Read(ref _copies);
        public int Holds { get; private set; }
        public bool IsHeld => !_running.Task.IsCompleted;

        public byte Kind => 77;
        public string Name => "suspect";
        public ulong Length => Size;
        public bool NeedsProof => true;
        public bool Overlaps => true;

        public byte[]? Describe(MemoryRegion region) => [1];

        public void Hold(bool hold)
        {
            if (hold) (Holds, _running) = (Holds + 1, new(TaskCreationOptions.RunContinuationsAsynchronously));
            else _running.TrySetResult();
        }

        public async Task<(IRemoteMemory? Memory, string Reason)> OpenAsync(byte[] description, bool writes, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _opens);
            await Task.Delay(OpenDelay, cancellationToken);
            return (Opened?.Invoke() ?? this, "looks good");
        }

        public async Task ConnectAsync(CancellationToken cancellationToken)
        {
            await _running.Task.WaitAsync(cancellationToken);
            _connected = true;
        }

        public async Task CopyAsync(TransferPlan plan, TransferFrame frame, bool writes, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _copies);
            if (!oneSided || ConnectsByOwner && !_connected) await _running.Task.WaitAsync(cancellationToken);
            for (var i = frame.Start; i < frame.Start + frame.Count; i++) Copy(plan[i]);
        }

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private unsafe void Copy(PlannedRange range) =>
            Buffer.MemoryCopy((byte*)address + range.RemoteOffset, (void*)range.LocalAddress, range.Length, range.Length);

        private static TaskCompletionSource Completed()
        {
            var done = new TaskCompletionSource();
            done.SetResult();
            return done;
        }
    }
}
