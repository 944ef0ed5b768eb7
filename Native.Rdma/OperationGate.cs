namespace NanoAspire.Native.Rdma;

/// <summary>Counts the operations of a transport, stops them when it is disposed, and tells when the last one has ended.</summary>
internal sealed class OperationGate(Type owner) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private int _running;
    private bool _closed;

    /// <exception cref="ObjectDisposedException">Closed.</exception>
    public async Task<long> RunAsync(Func<CancellationToken, Task<long>> operation, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, owner);
            _running++;
        }
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
            return await operation(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(owner.FullName);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested && e.CancellationToken != cancellationToken)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        finally
        {
            lock (_gate)
            {
                if (--_running == 0 && _closed) _idle.TrySetResult();
            }
        }
    }

    public void ThrowIfClosed()
    {
        lock (_gate) ObjectDisposedException.ThrowIf(_closed, owner);
    }

    /// <summary>Refuses new operations, cancels the running ones and waits for them. Idempotent.</summary>
    public async ValueTask DisposeAsync()
    {
        bool first;
        lock (_gate)
        {
            first = !_closed;
            _closed = true;
            if (_running == 0) _idle.TrySetResult();
        }
        if (first) await _stop.CancelAsync().ConfigureAwait(false);
        await _idle.Task.ConfigureAwait(false);
        if (first) _stop.Dispose();
    }
}
