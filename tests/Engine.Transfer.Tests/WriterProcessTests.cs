using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>A grant belongs to its writer until it has finished or is gone, whatever happens to its process in between.</summary>
public sealed class WriterProcessTests : IAsyncLifetime
{
    private const int Size = 8 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly RegionRegistry _regions = new();
    private readonly SharedArena _arena = SharedArena.Allocate(Size);
    private readonly StallingGuard _guard = new();
    private readonly SharedMemoryTransport _owner;
    private MemoryRegion _region = null!;

    public WriterProcessTests() =>
        _owner = new(_regions, new() { PinTimeout = TimeSpan.FromMilliseconds(100) }, tcpFallback: false, copyThreads: 1, TimeProvider.System, NullLoggerFactory.Instance);

    public ValueTask InitializeAsync()
    {
        _region = _regions.Register("to", _arena.Address, Size, RegionAccess.PeersWrite, readGuard: null, _guard);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _guard.Open();
        await _owner.DisposeAsync();
        await _regions.UnregisterAsync(_region, default);
        _arena.Dispose();
    }

    private PeerProcess Writer(string transport, ulong token)
    {
        var peer = _owner.Listen();
        return new("writer", transport, Size, peer.Address, peer.Incarnation, _region.Id, token);
    }

    [Theory, InlineData("tcp"), InlineData("shm")]
    public async Task A_write_of_another_process_arrives_with_its_notification(string transport)
    {
        _guard.Open();
        var token = _guard.Grants.Allow(0, Size);
        await using var writer = Writer(transport, token);
        var notification = await _regions.Inbox.ReceiveNotificationAsync(default).AsTask().WaitAsync(Patience * 2);
        Assert.Equal((_region.Id, token, 1ul), (notification.Region, notification.Token, notification.Value));
        unsafe { Assert.False(new Span<byte>((void*)_arena.Address, Size).ContainsAnyExcept((byte)0xAB)); }
        await _guard.Grants.RevokeAsync(token, default).WaitAsync(Patience);
    }

    [Theory, InlineData("tcp"), InlineData("shm")]
    public async Task A_writer_that_is_stopped_keeps_its_grant_and_one_that_is_killed_loses_it(string transport)
    {
        var token = _guard.Grants.Allow(0, Size);
        await using var writer = Writer(transport, token);
        await _guard.Stalled.WaitAsync(Patience * 2); // it holds one piece, and has asked for the next
        writer.Signal(PeerProcess.Stop);
        var revoking = _guard.Grants.RevokeAsync(token, default);
        _guard.Open();
        await Task.Delay(400); // four times what a reader may take
        if (transport == "shm") Assert.False(revoking.IsCompleted);
        await writer.KillAsync();
        await revoking.WaitAsync(Patience);
    }

    /// <summary>Lets the first request of a writer through and holds up the second.</summary>
    private sealed class StallingGuard : IWriteGuard
    {
        private readonly ManualResetEventSlim _open = new();
        private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _asked;

        public WriteGrants Grants { get; } = new();
        public Task Stalled => _stalled.Task;

        public void Open() => _open.Set();

        public IDisposable? TryGrant(ulong token, ReadOnlySpan<SourceRange> ranges)
        {
            var pin = ((IWriteGuard)Grants).TryGrant(token, ranges);
            if (Interlocked.Increment(ref _asked) != 2) return pin;
            _stalled.TrySetResult();
            Assert.True(_open.Wait(Patience * 2));
            return pin;
        }
    }
}
