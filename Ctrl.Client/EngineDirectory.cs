using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Ctrl.Client;

/// <summary>
/// The engines of one scope as an immutable snapshot that follows the control plane: by push where it can, by polling where it cannot
/// or while the push is down. What cannot be read changes nothing: an outage never empties the table.
/// </summary>
public sealed class EngineDirectory : BackgroundService
{
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan NoPushRetry = TimeSpan.FromSeconds(60);

    private readonly CtrlClient _client;
    private readonly CtrlClientOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<EngineDirectory> _logger;
    private readonly EngineTable _table;
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private ImmutableArray<EngineDescriptor> _current = [];
    private CancellationTokenSource _change = new();
    private volatile bool _pushed;
    private volatile bool _pushLost;
    private int _suspect;

    public EngineDirectory(CtrlClient client, IOptions<CtrlClientOptions> options, TimeProvider time, ILogger<EngineDirectory> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_client, _options, _time, _logger) = (client, options.Value, time, logger);
        _table = new EngineTable(_options.ReturnGrace, time);
    }

    /// <summary>Changes arrive by themselves; else the list is read again and again.</summary>
    internal bool IsPushed => _pushed;

    /// <summary>Engines now, one per URL, ordered by id.</summary>
    public ImmutableArray<EngineDescriptor> Current => ImmutableInterlocked.InterlockedCompareExchange(ref _current, default, default);

    /// <summary>Raised after <see cref="Current"/> changed, on the directory's own loop: handlers must be quick.</summary>
    public event Action? Changed;

    /// <summary>Fires once, at the next change of <see cref="Current"/>.</summary>
    public IChangeToken GetChangeToken() => new CancellationChangeToken(Volatile.Read(ref _change).Token);

    /// <summary>Completes when the control plane has been read for the first time, even if it lists nobody.</summary>
    public Task WaitForFirstSnapshotAsync(CancellationToken ct) => _first.Task.WaitAsync(ct);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(ReadAsync(stoppingToken), WatchAsync(stoppingToken));

    private async Task ReadAsync(CancellationToken ct)
    {
        var failures = 0;
        while (!ct.IsCancellationRequested)
        {
            TimeSpan pause;
            try
            {
                var listed = await ListAsync(ct);
                var suspect = Interlocked.Exchange(ref _suspect, 0) == 1 || _pushLost || failures > 0;
                Publish(_table.Apply(listed, outage: suspect && _first.Task.IsCompleted));
                if (failures > 0) _logger.DirectoryRestored(Current.Length);
                failures = 0;
                _first.TrySetResult();
                pause = _pushed ? _options.PushedPollInterval : _options.PollInterval;
                if (_table.PendingIn is { } pending && pending < pause) pause = pending;
            }
            catch (CtrlException e)
            {
                if (failures++ == 0) _logger.DirectoryFailed(e.Message, Current.Length);
                pause = Backoff(failures);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested) { return; }
            await PauseAsync(pause, ct);
        }
    }

    private async Task WatchAsync(CancellationToken ct)
    {
        var failures = 0;
        var seen = -1L;
        var broken = false;
        while (!ct.IsCancellationRequested)
        {
            var pause = FirstRetryDelay;
            try
            {
                // Never resumed: the stream then always begins with a revision, and so with a fresh list.
                await foreach (var revision in _client.WatchAsync(EngineEntities.EntityType, after: -1, ct))
                {
                    // After a broken stream, or where counting began anew, the control plane may have lost its state. Said before the loss is forgotten.
                    if (broken || revision < seen) Volatile.Write(ref _suspect, 1);
                    (seen, failures, broken) = (revision, 0, false);
                    _pushed = !_options.IncludeEngineApi;                    // the other registry has its own revisions
                    _pushLost = false;
                    _wake.Writer.TryWrite(true);
                }
                broken = true;
            }
            catch (CtrlException e)
            {
                broken |= e.Status is not (404 or 405);
                pause = e.Status is 404 or 405 ? NoPushRetry : Backoff(++failures);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested) { return; }
            if (_pushed)
            {
                _pushed = false;
                _pushLost = true;                                            // it may be restarting, and with the embedded store know nobody
                _wake.Writer.TryWrite(true);
            }
            try { await Task.Delay(pause, _time, ct); }
            catch (OperationCanceledException) { return; }
        }
    }

    private async Task<List<ListedEngine>> ListAsync(CancellationToken ct)
    {
        var engines = new List<ListedEngine>();
        // One call whatever the number of kinds: both halves of the list then are of one moment.
        foreach (var entity in await _client.ListAsync(EngineEntities.EntityType, kind: null, ct))
        {
            if (!_options.EngineKinds.Contains(entity.Kind)) continue;
            if (EngineEntities.TryRead(entity) is { } engine) engines.Add(engine);
            else _logger.EntitySkipped(entity.EntityId);
        }
        if (!_options.IncludeEngineApi) return engines;
        foreach (var info in await _client.ListEnginesAsync(ct))
            if (EngineEntities.TryReadEngine(info) is { } engine) engines.Add(engine);
        return engines;
    }

    private void Publish(ImmutableArray<EngineDescriptor> next)
    {
        if (EngineTable.Same(Current, next)) return;
        ImmutableInterlocked.InterlockedExchange(ref _current, next);
        _logger.DirectoryChanged(next.Length);
        var fired = Interlocked.Exchange(ref _change, new CancellationTokenSource());
        fired.Cancel();
        fired.Dispose();
        Changed?.Invoke();
    }

    private TimeSpan Backoff(int failures)
    {
        var doubled = FirstRetryDelay * Math.Pow(2, Math.Min(failures - 1, 10));
        return (doubled < _options.MaxRetryDelay ? doubled : _options.MaxRetryDelay) * (0.8 + (0.2 * Random.Shared.NextDouble()));
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(pause, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try { await _wake.Reader.ReadAsync(either.Token); }
        catch (OperationCanceledException) { }                               // the pause is over, or the caller's loop sees its token
    }
}
