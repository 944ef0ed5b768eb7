using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace NanoAspire.Engine.Transfer;

/// <summary>The span of a pull and the metrics of hand-offs, under the engine's own names.</summary>
internal static class TransferTelemetry
{
    public static readonly ActivitySource Source = new("NanoAspire.Engine");

    private static readonly Meter Meter = new("NanoAspire.Engine");

    public static readonly Histogram<double> PullDuration = Meter.CreateHistogram<double>(
        "nanoaspire.kv.pull.duration", "s", "Time of one pull, checksums included");
    public static readonly Histogram<long> PullBytes = Meter.CreateHistogram<long>(
        "nanoaspire.kv.pull.bytes", "By", "Bytes that one pull read");
    public static readonly Counter<long> PullRetries = Meter.CreateCounter<long>(
        "nanoaspire.kv.pull.retries", "{retry}", "Reads repeated after a broken connection or a corrupt block");
    private static readonly Histogram<double> ChecksumDuration = Meter.CreateHistogram<double>(
        "nanoaspire.kv.checksum.duration", "s", "Time to checksum blocks: at the source all of one parked sequence, at the reader one segment of a pull");
    public static readonly UpDownCounter<long> Parked = Meter.CreateUpDownCounter<long>(
        "nanoaspire.kv.parked", "{sequence}", "Prefilled sequences that wait for a decode engine");
    public static readonly Counter<long> Expired = Meter.CreateCounter<long>(
        "nanoaspire.kv.lease.expired", "{lease}", "Parked sequences that nobody freed in time");

    /// <param name="side"><c>source</c> or <c>reader</c>.</param>
    /// <param name="took">With all its threads.</param>
    public static void Checksummed(string side, TimeSpan took) => ChecksumDuration.Record(took.TotalSeconds, new KeyValuePair<string, object?>("side", side));
}
