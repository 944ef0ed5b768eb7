using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl;

/// <summary>Takes in, once, what another control plane left behind; then announces leases that ended silently. Every replica runs one; the store lets only one of them find each lease.</summary>
internal sealed class LeaseSweeper(ICtrlStore store, CtrlOptions options, TimeProvider time, ILogger<LeaseSweeper> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.SweepInterval, time);
        var (failing, adopted) = (false, false);
        while (await NextAsync(timer, stoppingToken))
        {
            try
            {
                if (!adopted && await store.AdoptAsync(stoppingToken) is > 0 and var found) logger.Adopted(found);
                adopted = true;
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
