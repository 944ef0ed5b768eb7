using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Ctrl.Client;

/// <summary>
/// Keeps this process's engine registered: registers once the host has started, renews the lease, registers again when the control
/// plane has forgotten it, tries on while the control plane is away, and unregisters as soon as the host begins to stop.
/// </summary>
public sealed class EngineRegistration : BackgroundService
{
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan UnregisterTimeout = TimeSpan.FromSeconds(2);

    private readonly CtrlClient _client;
    private readonly CtrlClientOptions _options;
    private readonly Func<EngineDescriptor> _describe;
    private readonly IHostApplicationLifetime? _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger<EngineRegistration> _logger;
    private readonly string _leaseId = Guid.NewGuid().ToString("n");
    private readonly Channel<EngineDescriptor> _updates = Channel.CreateBounded<EngineDescriptor>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
    private volatile bool _registered;

    /// <param name="client">The control plane.</param>
    /// <param name="options">Intervals.</param>
    /// <param name="describe">Called once the host listens, so that it may know the real port.</param>
    /// <param name="time">Clock of heartbeats and retries.</param>
    /// <param name="logger">Log.</param>
    /// <param name="lifetime">When given, registration waits for the start and ends with the beginning of the stop.</param>
    public EngineRegistration(CtrlClient client, IOptions<CtrlClientOptions> options, Func<EngineDescriptor> describe, TimeProvider time, ILogger<EngineRegistration> logger, IHostApplicationLifetime? lifetime = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_client, _options, _describe, _time, _logger, _lifetime) = (client, options.Value, describe, time, logger, lifetime);
    }

    /// <summary>True while the control plane is known to list this engine.</summary>
    public bool IsRegistered => _registered;

    /// <summary>Publishes a changed descriptor (draining, other models) without waiting for the next heartbeat.</summary>
    public void Update(EngineDescriptor engine) => _updates.Writer.TryWrite(engine);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, _lifetime?.ApplicationStopping ?? CancellationToken.None);
        try { await StartedAsync(stopping.Token); }
        catch (OperationCanceledException) { return; }
        var engine = _describe();
        var startedAt = _time.GetUtcNow();
        try { engine = await KeepAsync(engine, startedAt, e => engine = e, stopping.Token); }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested) { }
        await LeaveAsync(engine);
    }

    private async Task<EngineDescriptor> KeepAsync(EngineDescriptor engine, DateTimeOffset startedAt, Action<EngineDescriptor> changed, CancellationToken ct)
    {
        var failures = 0;
        while (true)
        {
            TimeSpan pause;
            try
            {
                if (!_registered)
                {
                    await _client.RegisterAsync(EngineEntities.ToEntity(engine, startedAt), _leaseId, ct);
                    _registered = true;
                    _logger.Registered(engine.Id, engine.Url);
                }
                else if (!await _client.HeartbeatAsync(EngineEntities.EntityType, engine.Id, _leaseId, ct))
                {
                    _registered = false;
                    _logger.Forgotten(engine.Id);
                    continue;
                }
                failures = 0;
                pause = _options.HeartbeatInterval;
            }
            catch (CtrlException e)
            {
                if (failures++ == 0) _logger.RegistrationFailed(engine.Id, e.Message);
                pause = Backoff(failures);
            }
            if (await UpdateAsync(pause, ct) is not { } update) continue;
            if (update.Id != engine.Id) await LeaveAsync(engine);
            changed(engine = update);
            _registered = false;
        }
    }

    /// <summary>Doubles up to the limit, then spreads by up to a fifth, so that engines do not all return in the same instant.</summary>
    private TimeSpan Backoff(int failures)
    {
        var doubled = FirstRetryDelay * Math.Pow(2, Math.Min(failures - 1, 10));
        return (doubled < _options.MaxRetryDelay ? doubled : _options.MaxRetryDelay) * (0.8 + (0.2 * Random.Shared.NextDouble()));
    }

    private async Task<EngineDescriptor?> UpdateAsync(TimeSpan pause, CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(pause, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try { return await _updates.Reader.ReadAsync(either.Token); }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return null; }
    }

    private async Task StartedAsync(CancellationToken ct)
    {
        if (_lifetime is null) return;
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = _lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(ct);
    }

    private async Task LeaveAsync(EngineDescriptor engine)
    {
        if (!_registered) return;
        _registered = false;
        using var limit = new CancellationTokenSource(UnregisterTimeout, _time);
        try
        {
            await _client.UnregisterAsync(EngineEntities.EntityType, engine.Id, _leaseId, limit.Token);
            _logger.Unregistered(engine.Id);
        }
        catch (CtrlException e) { _logger.UnregisterFailed(engine.Id, e.Message); }
        catch (OperationCanceledException e) { _logger.UnregisterFailed(engine.Id, e.Message); }
    }
}
