using NanoAspire.Native.Rdma;

namespace NanoAspire.TransferPeer;

/// <summary>Grants, and when told to lets one more request of a writer through and holds up the one after it.</summary>
internal sealed class StallingGuard : IWriteGuard, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ManualResetEventSlim _open = new(initialState: true);
    private TaskCompletionSource _stalled = new();
    private int _until;

    public WriteGrants Grants { get; } = new();

    /// <summary>Completes when a request is being held up.</summary>
    public Task Stalled => _stalled.Task;

    public void StallAtNextButOne()
    {
        _open.Reset();
        _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _until, 2);
    }

    public void Open()
    {
        Volatile.Write(ref _until, 0);
        _open.Set();
    }

    public IDisposable? TryGrant(ulong token, ReadOnlySpan<SourceRange> ranges)
    {
        var pin = ((IWriteGuard)Grants).TryGrant(token, ranges);
        if (Interlocked.Decrement(ref _until) != 0) return pin;
        _stalled.SetResult();
        if (!_open.Wait(Patience)) throw new TimeoutException("nobody opened the guard");
        return pin;
    }

    public void Dispose() => _open.Dispose();
}
