using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl;

/// <summary>Announces leases that ended silently. Every replica runs one; the store lets only one of them find each lease.</summary>
internal sealed class LeaseSweeper(ICtrlStore store, CtrlOptions options, TimeProvider time, ILogger<LeaseSweeper> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.SweepInterval, time);
        var failing = false;
        while (await NextAsync(timer, stoppingToken))
        {
            try
            {
                var lapsed = await store.SweepAsync(stoppingToken);
                failing = false;
                if (lapsed == 0) continue;
                Telemetry.Lapsed.Add(lapsed);
                logger.LeasesLapsed(lapsed);
            }
            catch (Exception e) when (e is StoreUnavailableException or StoreCommandException)
            {
                if (!failing) logger.SweepFailed(e.Message);
                failing = true;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { return; }
        }
    }

    private static async ValueTask<bool> NextAsync(PeriodicTimer timer, CancellationToken ct)
    {
        try { return await timer.WaitForNextTickAsync(ct); }
        catch (OperationCanceledException) { return false; }
    }
}
