using NanoAspire.Router.Options;

namespace NanoAspire.Router.Admission;

/// <summary>The places of one model and the queue for them.</summary>
internal sealed class ModelGate(AdmissionOptions options)
{
    private readonly Lock _lock = new();
    /// <summary>By priority, then by arrival.</summary>
    private readonly SortedDictionary<(int Priority, long Arrival), TaskCompletionSource<IDisposable>> _waiting = [];
    private int _running;
    private long _arrivals;

    public int Waiting { get { lock (_lock) return _waiting.Count; } }

    /// <returns>A place, or something to wait for, or neither when the queue is full.</returns>
    public (IDisposable? Place, TaskCompletionSource<IDisposable>? Waiting) Enter(int priority)
    {
        lock (_lock)
        {
            if (_running < options.MaxInFlight)
            {
                _running++;
                return (new Place(this), null);
            }
            if (_waiting.Count >= options.QueueLength) return default;
            var waiting = new TaskCompletionSource<IDisposable>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((-priority, _arrivals++), waiting);
            return (null, waiting);
        }
    }

    /// <returns>False when the place has been given already.</returns>
    public bool Withdraw(TaskCompletionSource<IDisposable> waiting)
    {
        lock (_lock)
        {
            foreach (var (key, other) in _waiting)
                if (ReferenceEquals(other, waiting)) return _waiting.Remove(key);
            return false;
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            if (_waiting.Count == 0)
            {
                _running--;
                return;
            }
            // The place goes to the next in line without becoming free in between: nobody overtakes the queue.
            var (key, next) = _waiting.First();
            _waiting.Remove(key);
            next.SetResult(new Place(this));
        }
    }

    private sealed class Place(ModelGate gate) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0) gate.Leave();
        }
    }
}
