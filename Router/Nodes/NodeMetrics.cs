using System.Diagnostics.Metrics;

namespace NanoAspire.Router.Nodes;

/// <summary>Shows the table's engines among the metrics for as long as the router runs.</summary>
internal sealed class NodeMetrics(NodeTable table) : IHostedService, IDisposable
{
    private Meter? _meter;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _meter = Telemetry.WatchNodes(() => table.Current.Nodes);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _meter?.Dispose();
}
