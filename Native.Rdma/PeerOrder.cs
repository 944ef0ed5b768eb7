namespace NanoAspire.Native.Rdma;

/// <summary>What was submitted towards each peer and has not ended: keeps messages in order, and knows what a flush waits for. Thread-safe.</summary>
internal sealed class PeerOrder
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TransferPeer, Peer> _peers = [];

    private sealed class Peer
    {
        public Task LastMessage { get; set; } = Task.CompletedTask;
        public HashSet<Task> Open { get; } = [];
    }

    /// <summary>Runs <paramref name="send"/> when the message before it to the same peer has ended, whatever its outcome.</summary>
    public Task<long> InOrder(TransferPeer peer, Func<Task<long>> send)
    {
        lock (_gate)
        {
            var queue = PeerOf(peer);
            var task = AfterAsync(queue.LastMessage, send);
            queue.LastMessage = task;
            Track(peer, queue, task);
            return task;
        }
    }

    /// <summary>Has <see cref="FlushAsync"/> wait for <paramref name="work"/>.</summary>
    public Task<long> Track(TransferPeer peer, Task<long> work)
    {
        if (work.IsCompleted) return work;
        lock (_gate) Track(peer, PeerOf(peer), work);
        return work;
    }

    /// <summary>Completes when what was submitted before has ended; failures are reported where they belong, not here.</summary>
    public Task FlushAsync(TransferPeer peer, CancellationToken cancellationToken)
    {
        Task[] open;
        lock (_gate) open = _peers.TryGetValue(peer, out var queue) ? [.. queue.Open] : [];
        return Task.WhenAll(open.Select(static t => t.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default)))
            .WaitAsync(cancellationToken);
    }

    private Peer PeerOf(TransferPeer peer)
    {
        if (!_peers.TryGetValue(peer, out var queue)) _peers[peer] = queue = new();
        return queue;
    }

    private void Track(TransferPeer peer, Peer queue, Task work)
    {
        queue.Open.Add(work);
        _ = work.ContinueWith(ended => Forget(peer, ended), CancellationToken.None, TaskContinuationOptions.RunContinuationsAsynchronously, TaskScheduler.Default);
    }

    private void Forget(TransferPeer peer, Task ended)
    {
        lock (_gate)
        {
            if (_peers.TryGetValue(peer, out var queue) && queue.Open.Remove(ended) && queue.Open.Count == 0) _peers.Remove(peer);
        }
    }

    private static async Task<long> AfterAsync(Task before, Func<Task<long>> send)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        return await send().ConfigureAwait(false);
    }
}
