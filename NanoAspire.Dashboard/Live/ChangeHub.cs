using System.Collections.Concurrent;

namespace NanoAspire.Dashboard.Live;

/// <summary>Tells open pages that something changed, never what: they read again. A slow reader merges changes and costs one bit each.</summary>
internal sealed class ChangeHub
{
    private readonly ConcurrentDictionary<Subscription, byte> _subscriptions = new();

    public void Changed(LiveTopics topics)
    {
        foreach (var subscription in _subscriptions.Keys) subscription.Signal(topics);
    }

    public Subscription Subscribe()
    {
        var subscription = new Subscription(this);
        _subscriptions.TryAdd(subscription, 0);
        return subscription;
    }

    /// <summary>Owned by one reader.</summary>
    public sealed class Subscription(ChangeHub hub) : IDisposable
    {
        private readonly SemaphoreSlim _signal = new(0, 1);
        private readonly Lock _lock = new();
        private LiveTopics _pending;

        /// <summary>Waits for a change and takes all that have gathered.</summary>
        public async Task<LiveTopics> NextAsync(CancellationToken cancellationToken)
        {
            await _signal.WaitAsync(cancellationToken);
            lock (_lock)
            {
                var topics = _pending;
                _pending = LiveTopics.None;
                return topics;
            }
        }

        public void Dispose() => hub._subscriptions.TryRemove(this, out _);

        internal void Signal(LiveTopics topics)
        {
            lock (_lock)
            {
                var wasEmpty = _pending == LiveTopics.None;
                _pending |= topics;
                if (wasEmpty && _pending != LiveTopics.None) _signal.Release();
            }
        }
    }
}
