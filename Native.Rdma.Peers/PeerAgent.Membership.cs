using NanoAspire.Ctrl.Client;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Registering, staying registered, signing off.</summary>
public sealed partial class PeerAgent
{
    private static readonly TimeSpan FirstRegisterDelay = TimeSpan.FromSeconds(1);
    private const int MethodNotAllowed = 405, NotFound = 404, Conflict = 409;

    private long _nextBeat;
    private IReadOnlyList<string>? _declared;

    private async Task EnterAsync(CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await RegisterAsync(ct).ConfigureAwait(false);
                if (_options.Alias is not null)
                {
                    // The wish list may have been declared before we came; everything else under this name is of an earlier run. The
                    // clean-up takes the list with it: what an attempt has read, the next one still knows.
                    _declared = await ReadTopologyAsync(ct).ConfigureAwait(false) ?? _declared;
                    await _ctrl.CleanupPeerAsync(Alias, ct).ConfigureAwait(false);
                    await RegisterAsync(ct).ConfigureAwait(false);
                    await DeclareAsync(ct).ConfigureAwait(false);
                }
                _nextBeat = After(_options.HeartbeatInterval);
                return;
            }
            catch (CtrlException e) when (e.IsTransient && attempt < _options.RegisterAttempts)
            {
                await Task.Delay(FirstRegisterDelay * (1 << Math.Min(attempt - 1, 3)), _time, ct).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A start that fails leaves the name free, and declared what was declared.</summary>
    private async Task WithdrawAsync()
    {
        if (_self.Alias.Length == 0 || !await LeaveAsync().ConfigureAwait(false)) return;
        using var limit = new CancellationTokenSource(_options.LeaveTimeout, _time);
        await DeclareAsync(limit.Token).ConfigureAwait(false);
    }

    private async Task DeclareAsync(CancellationToken ct)
    {
        if (_declared is { Count: > 0 }) await _ctrl.SetDesiredTopologyAsync(Alias, _declared, minBandwidth: null, symmetric: false, ct).ConfigureAwait(false);
    }

    /// <exception cref="PeerConflictException">The alias belongs to another agent.</exception>
    private async Task RegisterAsync(CancellationToken ct)
    {
        var nics = _nics.Find();
        var (card, port) = nics.Select(static n => (n, n.UsablePort)).FirstOrDefault(static n => n.UsablePort is not null);
        var info = new PeerAgentInfo
        {
            Name = _self.Alias.Length == 0 ? null : _self.Alias, Address = _options.Host, Resource = _self.ToResource(_options.Host, nics, _time.GetUtcNow()),
            Device = card?.Name, IbPort = (uint?)port?.Number, LinkType = port?.LinkType,
        };
        try
        {
            var started = await _ctrl.StartPeerAgentAsync(info, _instance, ct).ConfigureAwait(false);
            _self = _self with { Alias = started.Name };
            _board.Write(_self);
        }
        catch (CtrlException e) when (e.Status == Conflict)
        {
            throw new PeerConflictException(_self.Alias, e);
        }
    }

    /// <summary>Renews the lease; an agent that was forgotten registers again with all it had.</summary>
    private async Task BeatAsync(CancellationToken ct)
    {
        if (_time.GetTimestamp() < _nextBeat) return;
        if (!await _ctrl.HeartbeatAsync("agent", Alias, leaseId: null, ct).ConfigureAwait(false)) await ReturnAsync(ct).ConfigureAwait(false);
        _nextBeat = After(_options.HeartbeatInterval);
    }

    private async Task ReturnAsync(CancellationToken ct)
    {
        _logger.Forgotten(Alias);
        await RegisterAsync(ct).ConfigureAwait(false);
        string[] published;
        Wish? wish;
        lock (_gate) (published, wish) = ([.. _published.Where(static p => p.Value.Access != RegionAccess.Local).Select(static p => p.Key)], _wish);
        foreach (var name in published) await PublishAsync(name, ct).ConfigureAwait(false);
        if (wish is not null) await _ctrl.SetDesiredTopologyAsync(Alias, wish.Peers, minBandwidth: null, wish.Symmetric, ct).ConfigureAwait(false);
    }

    /// <summary>Null when nothing is declared, or the service cannot tell.</summary>
    private async Task<IReadOnlyList<string>?> ReadTopologyAsync(CancellationToken ct)
    {
        try { return await _ctrl.ReadTopologyAsync(Alias, ct).ConfigureAwait(false); }
        catch (CtrlException e) when (e.Status is NotFound or MethodNotAllowed) { return null; }
    }

    private async Task<IReadOnlyList<string>> TakeNoticesAsync(CancellationToken ct)
    {
        try { return await _ctrl.TakeNoticesAsync(Alias, ct).ConfigureAwait(false); }
        catch (CtrlException e) when (e.Status is NotFound or MethodNotAllowed) { return []; }
    }

    /// <summary>Signs off, unless the name is another one's by now.</summary>
    private async Task<bool> LeaveAsync()
    {
        using var limit = new CancellationTokenSource(_options.LeaveTimeout, _time);
        try
        {
            var listed = await _ctrl.QueryPeersAsync(limit.Token).ConfigureAwait(false);
            if (!listed.Select(PeerRecord.TryRead).Any(r => r?.Alias == Alias && r.Instance == _instance)) return false;
            await _ctrl.CleanupPeerAsync(Alias, limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (CtrlException e) { _logger.LeaveFailed(Alias, e.Message); }
        catch (OperationCanceledException e) { _logger.LeaveFailed(Alias, e.Message); }
        return false;
    }

    private long After(TimeSpan delay) => _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);
}
