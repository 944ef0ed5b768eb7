namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Telling the control plane how the agent fares.</summary>
public sealed partial class PeerAgent
{
    /// <summary>A report outlives three steps, and never less than these.</summary>
    private static readonly TimeSpan ReportLife = TimeSpan.FromSeconds(180), LastReportLife = TimeSpan.FromSeconds(10);

    private readonly NicDiscovery _nics;
    private Task _reporting = Task.CompletedTask;
    private PeerReporter? _reporter;

    private async Task ReportAsync(TimeSpan step)
    {
        _reporter = new(Alias, _options.Host, _nics, _time);
        using var timer = new PeriodicTimer(step, _time);
        var failed = false;
        try
        {
            do
            {
                if (IsSuperseded) return;
                try
                {
                    await SendReportAsync(_reporter, stopped: false, Longer(3 * step, ReportLife), _stop.Token).ConfigureAwait(false);
                    failed = false;
                }
                catch (Exception e) when (!_stop.IsCancellationRequested)
                {
                    if (!failed) _logger.ReportFailed(Alias, e.Message);
                    failed = true;
                }
            }
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested) { }
    }

    private async Task ReportEndAsync()
    {
        await _reporting.ConfigureAwait(false);
        if (_reporter is null || IsSuperseded || _options.ReportInterval is not { } step) return;
        using var limit = new CancellationTokenSource(_options.LeaveTimeout, _time);
        await SendReportAsync(_reporter, stopped: true, Longer(3 * step, LastReportLife), limit.Token).ConfigureAwait(false);
    }

    private Task<bool> SendReportAsync(PeerReporter reporter, bool stopped, TimeSpan lifetime, CancellationToken ct) =>
        _ctrl.ReportPeerAsync(Alias, reporter.Report(_transport.Name, Summary, Connections, stopped), lifetime, ct);

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
