namespace NanoAspire.Native.Rdma;

/// <summary>What was submitted towards each peer and has not ended: keeps messages in order, and knows what a flush waits for. Thread-safe.</summary>
/// <param name="patience">How long a message waits for its turn while none before it gets through.</param>
/// <param name="time">Clock.</param>
internal sealed class PeerOrder(TimeSpan patience, TimeProvider time)
{
    /// <summary>Messages to one peer that wait for their turn.</summary>
    public const int MaxWaiting = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<TransferPeer, Peer> _peers = [];

    private sealed class Peer
    {
        /// <summary>One has its turn; those in <see cref="Waiting"/> come after it.</summary>
        public bool IsTaken { get; set; }
        public LinkedList<TaskCompletionSource> Waiting { get; } = new();
        /// <summary>When a message got through last.</summary>
        public long Delivered { get; set; }
        public HashSet<Task> Open { get; } = [];
    }

    /// <summary>Runs <paramref name="send"/> when the messages before it to the same peer have ended, whatever their outcome.</summary>
    /// <exception cref="TransferException"><see cref="TransferCode.Busy"/>: too many wait already. <see cref="TransferCode.Timeout"/>: its turn did not come.</exception>
    public Task<long> InOrder(TransferPeer peer, Func<Task<long>> send, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var queue = PeerOf(peer);
            if (queue.Waiting.Count >= MaxWaiting)
                return Task.FromException<long>(new TransferException(TransferCode.Busy, $"{MaxWaiting} messages to {peer.Address} wait already"));
            var turn = queue.IsTaken ? queue.Waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)) : null;
            queue.IsTaken = true;
            var task = Task.Run(() => SendAsync(peer, queue, turn, send, cancellationToken), CancellationToken.None);
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

    private async Task<long> SendAsync(
        TransferPeer peer, Peer queue, LinkedListNode<TaskCompletionSource>? turn, Func<Task<long>> send, CancellationToken cancellationToken)
    {
        if (turn is not null) await WaitAsync(peer, queue, turn, cancellationToken).ConfigureAwait(false);
        try
        {
            var bytes = await send().ConfigureAwait(false);
            lock (_gate) queue.Delivered = time.GetTimestamp();
            return bytes;
        }
        finally
        {
            lock (_gate) PassOn(queue);
        }
    }

    private async Task WaitAsync(TransferPeer peer, Peer queue, LinkedListNode<TaskCompletionSource> turn, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            TimeSpan left;
            lock (_gate)
            {
                left = patience - time.GetElapsedTime(Math.Max(since, queue.Delivered));
                if (left <= TimeSpan.Zero && GiveUp(queue, turn))
                    throw new TransferException(TransferCode.Timeout, $"no message to {peer.Address} got through for {patience.TotalSeconds:0.#} s; this one waited for its turn");
            }
            try
            {
                await turn.Value.Task.WaitAsync(left > TimeSpan.Zero ? left : Timeout.InfiniteTimeSpan, time, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException) { } // or another one got through meanwhile
            catch (OperationCanceledException)
            {
                lock (_gate)
                {
                    if (!GiveUp(queue, turn)) PassOn(queue);
                }
                throw;
            }
        }
    }

    /// <returns>False when the turn has come.</returns>
    private static bool GiveUp(Peer queue, LinkedListNode<TaskCompletionSource> turn)
    {
        if (turn.List is null) return false;
        queue.Waiting.Remove(turn);
        return true;
    }

    private static void PassOn(Peer queue)
    {
        if (queue.Waiting.First is { } next)
        {
            queue.Waiting.RemoveFirst();
            next.Value.SetResult();
        }
        else queue.IsTaken = false;
    }
}
