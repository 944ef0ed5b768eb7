using System.Globalization;

namespace NanoAspire.Hosting.Run;

/// <summary>
/// The life of one instance: start, run, start again after a crash, stop. One life at a time; start and stop take turns.
/// </summary>
internal sealed class InstanceRunner(ResourceInstance instance, EndpointPlan endpoints, RunServices services) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private readonly IResource _resource = instance.Resource;
    private CancellationTokenSource? _stop;
    private Task _life = Task.CompletedTask;
    private Task _announced = Task.CompletedTask;
    private volatile bool _isAlive;
    private bool _closed;
    private ManagedProcess? _current;
    private TimeSpan _grace = TimeSpan.FromSeconds(10);

    public ResourceInstance Instance { get; } = instance;

    /// <summary>
    /// False as soon as anybody can see the end of the last life: it ends with its terminal snapshot, and whoever sees that may start the
    /// next one. Those who are told of the end afterwards do not delay it.
    /// </summary>
    public bool IsAlive => _isAlive;

    /// <summary>Begins a life unless there is one; <paramref name="prepare"/> runs first and may take as long as its waits do.</summary>
    public async Task<bool> StartAsync(Func<CancellationToken, Task> prepare, CancellationToken ct)
    {
        await _gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (IsAlive || _closed) return false;
            await _life.ConfigureAwait(false);                       // it has nothing left to do but to return
            _stop?.Dispose();
            _stop = new CancellationTokenSource();
            var stop = _stop.Token;
            _isAlive = true;
            await PublishStartingAsync().ConfigureAwait(false);      // before the command returns: nobody sees the old end again
            _life = Task.Run(() => LiveAsync(prepare, stop), CancellationToken.None);
            return true;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Ends the life: asks, waits for the grace, kills. Afterwards another one may begin, unless it was <paramref name="forGood"/>.</summary>
    public async Task StopAsync(TimeSpan grace, bool forGood, CancellationToken ct)
    {
        using var hurry = ct.Register(() => _current?.Kill());
        await _gate.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            _closed |= forGood;
            if (!IsAlive || _stop is null) return;
            _grace = grace;
            await _stop.CancelAsync().ConfigureAwait(false);
            await _life.ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Completes when the handlers of <see cref="ResourceStoppedEvent"/> have returned, or at the latest with the token.</summary>
    public Task AnnouncedAsync(CancellationToken ct) => _announced.WaitAsync(ct);

    public void Dispose()
    {
        _stop?.Dispose();
        _gate.Dispose();
    }

    private async Task LiveAsync(Func<CancellationToken, Task> prepare, CancellationToken stop)
    {
        try
        {
            await prepare(stop).ConfigureAwait(false);
            for (var attempt = 0; ; attempt++)
            {
                var started = services.Time.GetTimestamp();
                var (code, words, ready) = await RunOnceAsync(stop).ConfigureAwait(false);
                var ran = services.Time.GetElapsedTime(started);
                if (stop.IsCancellationRequested)
                {
                    await EndAsync(EndState, code, reason: null).ConfigureAwait(false);
                    return;
                }
                var policy = CrashPolicy.Of(_resource);
                if (ran >= policy.GoodHealth) attempt = 0;
                var verdict = CrashPolicy.Decide(_resource, policy, code, ready, ran, attempt);
                if (!verdict.Restart)
                {
                    var reason = verdict.Reason is null ? null : $"{verdict.Reason}{(string.IsNullOrWhiteSpace(words) ? "" : $": {words.Trim()}")}";
                    if (reason is not null) services.Logs.Write(Instance.Id, reason, isError: true);
                    await EndAsync(verdict.FailedToStart ? KnownResourceStates.FailedToStart : EndState, code, reason).ConfigureAwait(false);
                    return;
                }
                var delay = policy.DelayBefore(attempt + 1);
                services.Logs.Write(Instance.Id, string.Create(CultureInfo.InvariantCulture,
                    $"Exited with code {code}; starting again in {delay.TotalSeconds:0.#} s (attempt {attempt + 1} of {verdict.Attempts})."), isError: true);
                await PublishAsync(s => s with
                {
                    State = new ResourceStateSnapshot(KnownResourceStates.Restarting, KnownResourceStateStyles.Warn),
                    ExitCode = code,
                    Ready = null,
                    HealthReports = [],
                }).ConfigureAwait(false);
                await Task.Delay(delay, services.Time, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await EndAsync(EndState, exitCode: null, reason: null).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // callbacks of the model can throw anything; the resource fails, the host goes on
        catch (Exception e)
#pragma warning restore CA1031
        {
            var reason = e is DistributedApplicationException or OperationCanceledException or IOException or UnauthorizedAccessException ? e.Message : e.ToString();
            foreach (var line in reason.Split('\n')) services.Logs.Write(Instance.Id, line.TrimEnd('\r'), isError: true);
            await EndAsync(KnownResourceStates.FailedToStart, exitCode: null, e.Message).ConfigureAwait(false);
        }
    }

    private async Task<(int Code, string? Words, bool Ready)> RunOnceAsync(CancellationToken stop)
    {
        await PublishStartingAsync().ConfigureAwait(false);
        endpoints.Assign(Instance);
        var spec = await services.Factory.CreateAsync(Instance, stop).ConfigureAwait(false);
        endpoints.Release(Instance);
        using var process = await services.Starter.StartAsync(spec, (line, isError) => services.Logs.Write(Instance.Id, line, isError)).ConfigureAwait(false);
        _current = process;
        try
        {
            endpoints.Open(Instance);
            await PublishAsync(s => RunningSnapshot.From(s, _resource, process.Id, spec, services.Time)).ConfigureAwait(false);
            await Task.WhenAny(process.Exited, Task.Delay(Timeout.InfiniteTimeSpan, stop)).ConfigureAwait(false);
            var ready = IsReady();
            if (stop.IsCancellationRequested && !process.Exited.IsCompleted)
            {
                await PublishAsync(s => s with { State = KnownResourceStates.Stopping }).ConfigureAwait(false);
                endpoints.Close(Instance);                           // what is open goes on, what is new goes to its siblings
                if (!_closed && spec.Stop is { } end) await end(CancellationToken.None).ConfigureAwait(false);
                return (await process.StopAsync(_grace, services.Time, CancellationToken.None).ConfigureAwait(false), process.LastWords, ready);
            }
            return (await process.Exited.ConfigureAwait(false), process.LastWords, ready);
        }
        finally
        {
            endpoints.Close(Instance);
            _current = null;
        }
    }

    private string EndState => _resource.IsContainer() && _resource is not RedisResource ? KnownResourceStates.Exited : KnownResourceStates.Finished;

    private bool IsReady() => services.Notifications.TryGetCurrentState(Instance.Id, out var e) && e.Snapshot.Ready is not null;

    private async Task EndAsync(string state, int? exitCode, string? reason)
    {
        await PublishAsync(s =>
        {
            _isAlive = false;                                        // under the publisher's lock: with the snapshot, not after it
            return s with
            {
                State = new ResourceStateSnapshot(state, reason is null ? null : KnownResourceStateStyles.Error),
                ExitCode = exitCode,
                StopTimeStamp = services.Time.GetUtcNow().UtcDateTime,
                Ready = null,
                HealthReports = [],
                Urls = [.. s.Urls.Select(u => u with { IsInactive = true })],
                Properties = RunningSnapshot.WithReason(s.Properties, reason),
            };
        }).ConfigureAwait(false);
        if (services.Notifications.TryGetCurrentState(Instance.Id, out var end)) _announced = Task.Run(() => AnnounceEndAsync(end), CancellationToken.None);
    }

    /// <summary>Handlers are other people's code: they may start the resource again, take their time, or throw.</summary>
    private async Task AnnounceEndAsync(ResourceEvent end)
    {
        try
        {
            await services.Eventing.PublishAsync(new ResourceStoppedEvent(_resource, services.Provider, end)).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // the resource has ended all the same
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.StoppedHandlerFailed(services.Logs.GetLogger(Instance.Id), e);
        }
    }

    private Task PublishStartingAsync() => PublishAsync(s => s with
    {
        State = KnownResourceStates.Starting,
        ExitCode = null,
        StopTimeStamp = null,
        Ready = null,
        HealthReports = [],
    });

    private Task PublishAsync(Func<CustomResourceSnapshot, CustomResourceSnapshot> update) => services.Notifications.PublishUpdateAsync(_resource, Instance.Id, update);
}
