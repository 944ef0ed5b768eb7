namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>A deadline that is set anew for every frame, joined with the caller's token.</summary>
internal sealed class FrameDeadline : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _joined;
    private readonly CancellationToken _caller;

    public FrameDeadline(TimeSpan timeout, TimeProvider time, CancellationToken caller)
    {
        _caller = caller;
        _timer = new(timeout, time);
        _joined = CancellationTokenSource.CreateLinkedTokenSource(caller, _timer.Token);
    }

    public CancellationToken Token => _joined.Token;

    /// <summary>True when time was the reason, not the caller.</summary>
    public bool IsOver => _timer.IsCancellationRequested && !_caller.IsCancellationRequested;

    public void Restart(TimeSpan timeout) => _timer.CancelAfter(timeout);

    public void Dispose()
    {
        _joined.Dispose();
        _timer.Dispose();
    }
}
