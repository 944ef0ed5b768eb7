namespace NanoAspire.Router.Relay;

/// <summary>A cancellation token with a movable time limit, which can tell the limit from the caller's own cancellation.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _linked;
    private readonly CancellationToken _caller;
    private readonly ITimer _timer;
    private volatile bool _passed;

    public Deadline(TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        _caller = caller;
        _timeout = new CancellationTokenSource();
        _linked = CancellationTokenSource.CreateLinkedTokenSource(caller, _timeout.Token);
        _timer = time.CreateTimer(static state => ((Deadline)state!).Pass(), this, limit, Timeout.InfiniteTimeSpan);
    }

    public CancellationToken Token => _linked.Token;

    /// <summary>True when the time was up before the caller cancelled.</summary>
    public bool Passed => _passed;

    /// <summary>Starts the time anew.</summary>
    public void Restart(TimeSpan limit) => _timer.Change(limit, Timeout.InfiniteTimeSpan);

    /// <summary>Holds the time until the next <see cref="Restart"/>.</summary>
    public void Pause() => _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _timer.Dispose();
        _linked.Dispose();
        _timeout.Dispose();
    }

    private void Pass()
    {
        if (_caller.IsCancellationRequested) return;
        _passed = true;
        try { _timeout.Cancel(); }
        catch (ObjectDisposedException) { _passed = false; }   // fired while being disposed: nobody listens any more
    }
}
