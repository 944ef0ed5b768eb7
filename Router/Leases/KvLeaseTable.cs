using System.Collections.Concurrent;
using System.Collections.Immutable;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Leases;

/// <summary>
/// The leases that running requests hold, and the background that gives them back: one queue an engine, so that a slow engine delays
/// nobody else's. What cannot be given back ends with the engine's own lease time.
/// </summary>
internal sealed class KvLeaseTable(EngineClient client, NodeTable nodes, TimeProvider time, ILogger<KvLeaseTable> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<KvLease, byte> _held = new();
    private readonly ConcurrentDictionary<Node, ReleaseQueue> _queues = new();
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Leases not yet released.</summary>
    public int Held => _held.Count;

    /// <summary>Releases accepted but not yet answered by their engine.</summary>
    public int Pending => _queues.Values.Sum(queue => queue.Pending);

    /// <summary>From now on the sequences will be released, by the request or at the latest when the process stops.</summary>
    public KvLease Register(Node node, ImmutableArray<long> sequences)
    {
        var lease = new KvLease(node, sequences, this);
        _held[lease] = 0;
        Telemetry.Leases.Add(1);
        return lease;
    }

    internal void Release(KvLease lease)
    {
        while (!_queues.GetOrAdd(lease.Node, node => new ReleaseQueue(node, client, IsCurrent, Retire, time, logger, _stopping.Token)).TryAdd(lease.Sequences))
        {
            // The queue just emptied and left the table: the next look-up makes a new one.
        }
        _held.TryRemove(lease, out _);   // after that, so that at no moment the lease is nowhere
        Telemetry.Leases.Add(-1);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Releases what is still held and waits a little for the engines to hear of it.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var lease in _held.Keys) lease.Release();
        try
        {
            await Task.WhenAll(_queues.Values.Select(queue => queue.Completion)).WaitAsync(StopTimeout, time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Log.ReleasesLeft(logger, Pending);
            await _stopping.CancelAsync();
        }
    }

    public void Dispose() => _stopping.Dispose();

    /// <summary>A restarted engine may use the same numbers for other sequences: only the run that parked them may be told to free them.</summary>
    private bool IsCurrent(Node node) =>
        node.Engine.Incarnation is not { } run || nodes.Current.Find(node.Url)?.Engine.Incarnation is not { } now || now == run;

    private void Retire(Node node, ReleaseQueue queue) => _queues.TryRemove(new(node, queue));
}
