using System.Threading.Channels;

namespace NanoAspire.Ctrl.Store;

/// <summary>Wakes the watchers of a scope and type inside this process.</summary>
internal sealed class ChangeHub
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Scope, string Type), List<Subscription>> _topics = [];

    /// <summary>The first watcher of a topic came (true) or its last one left (false). Called under the hub's lock: must only enqueue.</summary>
    public Action<string, string, bool>? TopicChanged { get; init; }

    public IChangeSubscription Subscribe(string scope, string type)
    {
        var subscription = new Subscription(this, scope, type);
        lock (_gate)
        {
            if (!_topics.TryGetValue((scope, type), out var watchers))
            {
                _topics[(scope, type)] = watchers = [];
                TopicChanged?.Invoke(scope, type, true);
            }
            watchers.Add(subscription);
        }
        return subscription;
    }

    public void Notify(string scope, string type)
    {
        lock (_gate)
        {
            if (!_topics.TryGetValue((scope, type), out var watchers)) return;
            foreach (var watcher in watchers) watcher.Signal();
        }
    }

    /// <summary>Topics with at least one watcher.</summary>
    public IReadOnlyList<(string Scope, string Type)> Topics()
    {
        lock (_gate) return [.. _topics.Keys];
    }

    private void Remove(Subscription subscription)
    {
        var topic = (subscription.Scope, subscription.Type);
        lock (_gate)
        {
            if (!_topics.TryGetValue(topic, out var watchers) || !watchers.Remove(subscription) || watchers.Count > 0) return;
            _topics.Remove(topic);
            TopicChanged?.Invoke(subscription.Scope, subscription.Type, false);
        }
    }

    private sealed class Subscription(ChangeHub hub, string scope, string type) : IChangeSubscription
    {
        private readonly Channel<bool> _signals = Channel.CreateBounded<bool>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

        public string Scope => scope;
        public string Type => type;

        public void Signal() => _signals.Writer.TryWrite(true);

        public async ValueTask WaitAsync(CancellationToken ct) => await _signals.Reader.ReadAsync(ct);

        public void Dispose() => hub.Remove(this);
    }
}
