using Microsoft.Extensions.Logging;
using NanoAspire.Ctrl.Client;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>
/// One end of transfers between named peers: registers with the control plane, keeps the connections that are declared there (or by
/// <see cref="SetDesiredPeersAsync"/>) real, publishes regions by name, and moves bytes between them. Thread-safe. Owns neither the
/// transport nor the memory of regions.
/// </summary>
public sealed partial class PeerAgent : IAsyncDisposable
{
    private readonly CtrlClient _ctrl;
    private readonly ITransport _transport;
    private readonly PeerAgentOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HelloBoard _board;
    private readonly string _instance = Guid.NewGuid().ToString("n");
    private readonly PeerCounters _counters = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _poke = new(0, 1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PeerLink> _links = new(StringComparer.Ordinal);
    private PeerRecord _self;
    private Task _loop = Task.CompletedTask;
    private Wish? _wish;
    private bool _closed;
    private Task? _ending;

    private PeerAgent(CtrlClient ctrl, ITransport transport, PeerAgentOptions options, TimeProvider time, ILogger<PeerAgent> logger)
    {
        (_ctrl, _transport, _options, _time, _logger) = (ctrl, transport, options, time, logger);
        _nics = new(options.Nics);
        var peer = transport.Listen();
        _board = new(transport);
        _self = new(options.Alias ?? "", peer, transport.Name, _board.Shown.Id, _instance);
    }

    /// <summary>What this agent asked to be connected to.</summary>
    private sealed record Wish(IReadOnlyList<string> Peers, bool Symmetric);

    /// <summary>Called on a pool thread after every change of a connection; must not block. What a handler throws is logged and goes no further.</summary>
    public event Action<PeerConnection>? ConnectionChanged;

    /// <summary>As registered.</summary>
    public string Alias => _self.Alias;

    /// <summary>How peers reach this agent.</summary>
    public TransferPeer Self => _self.Peer;

    /// <summary>True once another agent has taken the alias over: this one has closed its connections and only waits to be disposed.</summary>
    public bool IsSuperseded { get; private set; }

    /// <summary>Why the agent cannot follow the control plane at the moment; null when it can. It goes on trying.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Wanted connections, by alias.</summary>
    public IReadOnlyList<PeerConnection> Connections
    {
        get { lock (_gate) return [.. _links.Values.Select(static l => l.Snapshot()).OrderBy(static c => c.Peer, StringComparer.Ordinal)]; }
    }

    /// <summary>What was moved so far.</summary>
    public PeerSummary Summary
    {
        get { lock (_gate) return _counters.Read([.. _published.Values], [_board.Shown, _board.Seen]); }
    }

    /// <summary>
    /// Registers, removes what an earlier run left under the same alias (its peers are told), and starts to follow the declared topology.
    /// </summary>
    /// <param name="ctrl">The control plane; its scope is the agent's.</param>
    /// <param name="transport">Must outlive the agent.</param>
    /// <param name="options">Name and intervals.</param>
    /// <param name="time">Clock of everything.</param>
    /// <param name="logger">Log.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="PeerConflictException">The alias belongs to another agent.</exception>
    /// <exception cref="CtrlException">The control plane could not be reached in all attempts.</exception>
    /// <exception cref="ArgumentException">The options are out of range.</exception>
    /// <exception cref="TransferException">The transport cannot listen.</exception>
    public static async Task<PeerAgent> StartAsync(
        CtrlClient ctrl, ITransport transport, PeerAgentOptions options, TimeProvider time, ILogger<PeerAgent> logger, CancellationToken cancellationToken)
    {
        if (options.Validate().ToArray() is [_, ..] errors) throw new ArgumentException(string.Join("; ", errors), nameof(options));
        var agent = new PeerAgent(ctrl, transport, options, time, logger);
        try
        {
            await agent.EnterAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (e is not PeerConflictException) await agent.AttemptAsync("taking back its registration", agent.WithdrawAsync).ConfigureAwait(false);
            await agent._board.DisposeAsync().ConfigureAwait(false);
            agent._stop.Dispose();
            throw;
        }
        logger.Started(agent.Alias, agent.Self.Address, agent.Self.Incarnation);
        agent._loop = Task.Run(agent.RunAsync, CancellationToken.None);
        if (options.ReportInterval is { } step) agent._reporting = Task.Run(() => agent.ReportAsync(step), CancellationToken.None);
        return agent;
    }

    /// <summary>Replaces what this agent wants to be connected to; connections are then made and ended until it is so.</summary>
    /// <param name="peers">Aliases; they need not be registered yet.</param>
    /// <param name="symmetric">Have the peers want this agent as well.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="ArgumentException">Its own alias, or an empty one, is among them; or there are too many.</exception>
    /// <exception cref="CtrlException">The wish did not reach the control plane, and is not kept.</exception>
    public async Task SetDesiredPeersAsync(IReadOnlyCollection<string> peers, bool symmetric, CancellationToken cancellationToken)
    {
        string[] wanted = [.. peers.Distinct(StringComparer.Ordinal)];
        if (wanted.Any(string.IsNullOrEmpty)) throw new ArgumentException("an alias must not be empty", nameof(peers));
        if (wanted.Contains(Alias, StringComparer.Ordinal)) throw new ArgumentException("an agent cannot be its own peer", nameof(peers));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wanted.Length, _options.MaxPeers, nameof(peers));
        ThrowIfClosed();
        await _ctrl.SetDesiredTopologyAsync(Alias, wanted, minBandwidth: null, symmetric, cancellationToken).ConfigureAwait(false);
        lock (_gate) _wish = new(wanted, symmetric);
        Poke();
    }

    /// <summary>Completes when the peer is connected.</summary>
    /// <param name="peer">Wanted, or about to be.</param>
    /// <param name="timeout">Longest wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">It is not; the message says where it stands, and what is connected.</exception>
    /// <exception cref="PeerConflictException">This agent was superseded.</exception>
    public async Task<PeerConnection> WaitForAsync(string peer, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                ThrowIfClosed();
                if (!_links.TryGetValue(peer, out var link)) changed = _linksChanged.Task;
                else if (link.State == PeerState.Connected) return link.Snapshot();
                else changed = link.Changed.Task;
            }
            try
            {
                await changed.WaitAsync(limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"'{peer}' is not connected after {timeout.TotalSeconds:0.#} s: {Standing(peer)}", e);
            }
        }
    }

    /// <summary>Ends all connections, withdraws the regions and signs off; completes when no transfer of this agent runs any more. Idempotent.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closed = true;
            return new(_ending ??= Task.Run(EndAsync));
        }
    }

    /// <summary>Every step is taken, whatever became of the one before.</summary>
    private async Task EndAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await AttemptAsync("ending its loop", () => _loop).ConfigureAwait(false);
        await AttemptAsync("closing its connections", () => { CloseLinks("the agent has ended"); return Task.CompletedTask; }).ConfigureAwait(false);
        await AttemptAsync("waiting for its transfers", DrainAsync).ConfigureAwait(false);
        await AttemptAsync("reporting its end", ReportEndAsync).ConfigureAwait(false);
        await AttemptAsync("signing off", LeaveAsync).ConfigureAwait(false);
        foreach (var region in await TakeRegionsAsync().ConfigureAwait(false))
            await AttemptAsync($"unregistering '{region.Name}'", () => _transport.Regions.UnregisterAsync(region, CancellationToken.None)).ConfigureAwait(false);
        await AttemptAsync("taking down its board", async () => await _board.DisposeAsync().ConfigureAwait(false)).ConfigureAwait(false);
        _stop.Dispose();
    }

    private void ThrowIfClosed()
    {
        if (IsSuperseded) throw new PeerConflictException(Alias);
        ObjectDisposedException.ThrowIf(_closed, this);
    }

    private string Standing(string peer)
    {
        lock (_gate)
        {
            var connected = _links.Values.Where(static l => l.State == PeerState.Connected).Select(static l => l.Alias).ToArray();
            var standing = _links.TryGetValue(peer, out var link) ? $"{link.State}, {link.Cause}" : "it is not wanted";
            return $"{standing}; connected are {(connected.Length == 0 ? "none" : string.Join(", ", connected))}";
        }
    }

    private void Poke()
    {
        lock (_gate)
        {
            if (_poke.CurrentCount == 0) _poke.Release();
        }
    }

    private void Raise(PeerConnection connection)
    {
        foreach (var handler in ConnectionChanged?.GetInvocationList() ?? [])
            Attempt($"telling of '{connection.Peer}'", () => ((Action<PeerConnection>)handler)(connection));
    }

    /// <summary>Runs what is not ours, or must not keep the rest from being done; what it throws is logged.</summary>
    private void Attempt(string doing, Action work)
    {
        try { work(); }
        catch (Exception e) { _logger.Stumbled(Alias, doing, e); }
    }

    private async Task AttemptAsync(string doing, Func<Task> work)
    {
        try { await work().ConfigureAwait(false); }
        catch (Exception e) { _logger.Stumbled(Alias, doing, e); }
    }
}
