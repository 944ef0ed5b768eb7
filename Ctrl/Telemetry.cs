using System.Diagnostics.Metrics;

namespace NanoAspire.Ctrl;

internal static class Telemetry
{
    public const string Name = "NanoAspire.Ctrl";

    private static readonly Meter Meter = new(Name);

    public static readonly Counter<long> Calls = Meter.CreateCounter<long>("ctrl.calls", "{call}", "API calls by action and status");
    public static readonly Histogram<double> CallDuration = Meter.CreateHistogram<double>("ctrl.call.duration", "s", "API calls, store included");
    public static readonly Counter<long> Lapsed = Meter.CreateCounter<long>("ctrl.leases.lapsed", "{lease}", "Leases that ended without unregistration");
    public static readonly UpDownCounter<int> Watchers = Meter.CreateUpDownCounter<int>("ctrl.watchers", "{watcher}", "Open watch streams");
}
