using NanoAspire.Ctrl.Client;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>
/// The loop that makes connections what they should be. It compares what is declared with what is, over and over, so nothing depends on
/// having seen a message. Attempts and pings run beside it: a silent peer holds up no other.
/// </summary>
public sealed partial class PeerAgent
{
    private readonly HashSet<Task> _work = [];
    private TaskCompletionSource _linksChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    await FollowAsync(_stop.Token).ConfigureAwait(false);
                    if (Trouble is not null) _logger.ControlBack(Alias);
                    Trouble = null;
                }
                catch (CtrlException e)
                {
                    if (Trouble is null) _logger.ControlLost(Alias, e.Message);
                    Trouble = e.Message;
                }
                catch (Exception e) when (e is not PeerConflictException && !_stop.IsCancellationRequested)
                {
                    // Nobody's fault that we know of: said once, shown in Trouble, and tried again with the next round.
                    if (Trouble is null) _logger.Stumbled(Alias, "following the control plane", e);
                    Trouble = e.Message;
                }
                Drive();
                await PauseAsync(_stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested) { }
        catch (PeerConflictException)
        {
            _logger.Superseded(Alias);
            IsSuperseded = true;
            CloseLinks("the alias was taken over");
        }
    }

    private async Task FollowAsync(CancellationToken ct)
    {
        await BeatAsync(ct).ConfigureAwait(false);
        var notices = await TakeNoticesAsync(ct).ConfigureAwait(false);
        var listed = await _ctrl.QueryPeersAsync(ct).ConfigureAwait(false);
        var records = new Dictionary<string, PeerRecord>(StringComparer.Ordinal);
        foreach (var record in listed.Select(PeerRecord.TryRead).OfType<PeerRecord>()) records[record.Alias] = record;
        if (listed.Any(a => a.Name == Alias))
        {
            if (!records.TryGetValue(Alias, out var own) || own.Instance != _instance) throw new PeerConflictException(Alias);
        }
        else
        {
            await ReturnAsync(ct).ConfigureAwait(false);
        }
        await SettleAsync(ct).ConfigureAwait(false);
        var declared = await ReadTopologyAsync(ct).ConfigureAwait(false);
        Wish? wish;
        lock (_gate) wish = _wish;
        if (declared is null && wish is not null)
            await _ctrl.SetDesiredTopologyAsync(Alias, wish.Peers, minBandwidth: null, wish.Symmetric, ct).ConfigureAwait(false);
        Reconcile(declared ?? wish?.Peers ?? [], records, notices);
    }

    private void Reconcile(IReadOnlyList<string> declared, Dictionary<string, PeerRecord> records, IReadOnlyList<string> notices)
    {
        var wanted = declared.Where(p => p != Alias).Distinct(StringComparer.Ordinal).Take(_options.MaxPeers).ToHashSet(StringComparer.Ordinal);
        if (declared.Count > _options.MaxPeers) _logger.TooMany(Alias, declared.Count, _options.MaxPeers);
        var now = _time.GetTimestamp();
        List<(PeerConnection Now, PeerSession? Ended, string Reason)> changes = [];
        lock (_gate)
        {
            foreach (var peer in wanted)
            {
                if (_links.ContainsKey(peer)) continue;
                _links[peer] = new(peer);
                Telemetry.StateChanged(null, PeerState.Waiting);
            }
            foreach (var link in _links.Values.Where(l => !wanted.Contains(l.Alias)).ToArray())
            {
                var ended = link.End(PeerState.Closed, "not wanted any more");
                Telemetry.StateChanged(PeerState.Closed, null);
                _links.Remove(link.Alias);
                changes.Add((link.Snapshot(), ended, "unwanted"));
            }
            foreach (var link in _links.Values)
            {
                records.TryGetValue(link.Alias, out var record);
                if (link.Session is { } session)
                {
                    link.Suspect = record is null;
                    if (record is not null && (record.Peer != session.Record.Peer || record.Instance != session.Record.Instance) && !link.IsRetired(record.Peer.Incarnation))
                    {
                        if (record.Peer.Incarnation != session.Record.Peer.Incarnation) link.Retire(session.Record.Peer.Incarnation);
                        changes.Add((link.Snapshot(), link.End(PeerState.Waiting, "the peer was restarted"), "restarted"));
                    }
                    else if (record is null && notices.Contains(link.Alias))
                    {
                        var ended = link.End(PeerState.Waiting, "the peer was cleaned up");
                        changes.Add((link.Snapshot(), ended, "cleaned up"));
                    }
                }
                if (link.Session is null && record is not null && !link.IsRetired(record.Peer.Incarnation))
                {
                    link.Adopt(record);
                    link.NextWork = now;
                    changes.Add((link.Snapshot(), null, ""));
                }
            }
            _linksChanged.TrySetResult();
            _linksChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        foreach (var (connection, ended, reason) in changes)
        {
            End(connection, ended, reason);
            Raise(connection);
        }
    }

    /// <summary>Starts the attempts and pings that are due.</summary>
    private void Drive()
    {
        var now = _time.GetTimestamp();
        lock (_gate)
        {
            foreach (var link in _links.Values)
            {
                if (link.Session is not { } session || link.Working || (now < link.NextWork && !(link.Suspect && link.State == PeerState.Connected))) continue;
                link.Working = true;
                var work = Task.Run(() => ReachAsync(link, session), CancellationToken.None);
                _work.Add(work);
                _ = work.ContinueWith(done => { lock (_gate) _work.Remove(done); }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    /// <summary>One attempt or ping: looks at the peer's board over the transport.</summary>
    private async Task ReachAsync(PeerLink link, PeerSession session)
    {
        string? failure = null;
        var final = false;
        using var timer = new CancellationTokenSource(_options.ConnectTimeout, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, session.Gone.Token, timer.Token);
        try
        {
            if (!await _board.SeesAsync(session.Record, limit.Token).ConfigureAwait(false)) (failure, final) = ("another agent answers there", true);
        }
        catch (TransferException e)
        {
            failure = e.Message;
            final = e.Code is TransferCode.StaleRegion or TransferCode.UnknownRegion; // of an earlier run, or ended
        }
        catch (OperationCanceledException) { failure = "no answer"; }
        catch (ObjectDisposedException) { failure = "the transport has ended"; }
        catch (Exception e)
        {
            _logger.Stumbled(Alias, $"reaching '{link.Alias}'", e);
            failure = e.Message;
        }
        Reached(link, session, failure, final);
    }

    private void Reached(PeerLink link, PeerSession session, string? failure, bool final)
    {
        PeerConnection? changed = null;
        PeerSession? ended = null;
        lock (_gate)
        {
            link.Working = false;
            if (link.Session != session) return;
            var was = link.State;
            if (failure is null)
            {
                link.Succeeded();
                link.NextWork = After(_options.PingInterval);
                if (was != PeerState.Connected) changed = link.Snapshot();
            }
            else if (was == PeerState.Connected && !final && !link.Suspect && ++link.Missed < _options.MissedPings)
            {
                link.NextWork = After(_options.PingInterval);
            }
            else if (was == PeerState.Connected)
            {
                ended = link.End(PeerState.Waiting, failure);
                changed = link.Snapshot() with { Cause = failure };
            }
            else
            {
                link.Failed(failure);
                var doubled = _options.RetryDelay * Math.Pow(2, Math.Min(link.Attempts - 1, 10));
                link.NextWork = After(doubled < _options.MaxRetryDelay ? doubled : _options.MaxRetryDelay);
                if (was != PeerState.Failed) changed = link.Snapshot();
            }
            if (was is PeerState.Connecting or PeerState.Failed) Telemetry.Attempted(failure is null);
        }
        if (changed is null) return;
        if (failure is null) _logger.Connected(Alias, link.Alias, session.Record.Peer.Address, session.Record.Transport);
        else if (ended is null) _logger.Disconnected(Alias, link.Alias, failure);
        End(changed, ended, "silent");
        Raise(changed);
    }

    /// <summary>What a gone peer leaves behind goes with it: transfers in flight fail, mappings and connections are dropped.</summary>
    private void End(PeerConnection connection, PeerSession? ended, string reason)
    {
        if (ended is null) return;
        Telemetry.ConnectionLost(reason);
        _logger.Disconnected(Alias, connection.Peer, connection.Cause ?? reason);
        ended.Regions.Clear();
        Attempt($"stopping transfers with '{connection.Peer}'", ended.Gone.Cancel);
        Attempt($"forgetting '{connection.Peer}'", () => _transport.Forget(ended.Record.Peer));
    }

    private void CloseLinks(string cause)
    {
        List<(PeerConnection, PeerSession?)> closed = [];
        lock (_gate)
        {
            foreach (var link in _links.Values)
            {
                var ended = link.End(PeerState.Closed, cause);
                Telemetry.StateChanged(PeerState.Closed, null);
                closed.Add((link.Snapshot(), ended));
            }
            _links.Clear();
            _linksChanged.TrySetResult();
        }
        foreach (var (connection, ended) in closed)
        {
            End(connection, ended, "closed");
            Raise(connection);
        }
    }

    private async Task DrainAsync()
    {
        Task[] running;
        lock (_gate)
        {
            if (_running == 0) _idle.TrySetResult();
            running = [.. _work, _idle.Task];
        }
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    /// <summary>Until the next poll, or until there is something to do.</summary>
    private async Task PauseAsync(CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(_options.PollInterval, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try { await _poke.WaitAsync(either.Token).ConfigureAwait(false); }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { }
    }
}
