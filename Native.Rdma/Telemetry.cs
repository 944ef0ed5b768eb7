using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace NanoAspire.Native.Rdma;

/// <summary>Metrics of all transports of the process; no span a transfer, that is the caller's operation.</summary>
internal static class Telemetry
{
    private static readonly Meter Meter = new("NanoAspire.Transfer");

    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "nanoaspire.transfer.operation.duration", "s", "Time of one transfer, from submission to completion");
    private static readonly Counter<long> Bytes = Meter.CreateCounter<long>(
        "nanoaspire.transfer.bytes", "By", "Bytes read from peers and written to them");
    private static readonly UpDownCounter<long> InFlight = Meter.CreateUpDownCounter<long>(
        "nanoaspire.transfer.inflight", "{operation}", "Transfers that have not completed");
    private static readonly UpDownCounter<long> InFlightBytes = Meter.CreateUpDownCounter<long>(
        "nanoaspire.transfer.inflight.bytes", "By", "Bytes of transfers that have not completed");
    private static readonly Histogram<long> OperationBytes = Meter.CreateHistogram<long>(
        "nanoaspire.transfer.operation.bytes", "By", "Bytes that one transfer was asked to move");
    private static readonly Counter<long> ServedBytes = Meter.CreateCounter<long>(
        "nanoaspire.transfer.served.bytes", "By", "Bytes sent to peers");
    private static readonly Counter<long> TakenBytes = Meter.CreateCounter<long>(
        "nanoaspire.transfer.taken.bytes", "By", "Bytes that peers wrote");
    private static readonly Counter<long> Chosen = Meter.CreateCounter<long>(
        "nanoaspire.transfer.path.chosen", "{choice}", "Decisions how a region of a peer is reached");
    private static readonly Counter<long> Refused = Meter.CreateCounter<long>(
        "nanoaspire.transfer.refused", "{request}", "Requests of peers answered with an error");
    private static readonly UpDownCounter<long> Connections = Meter.CreateUpDownCounter<long>(
        "nanoaspire.transfer.connections", "{connection}", "Open connections");

    private static readonly UpDownCounter<long> Regions = Meter.CreateUpDownCounter<long>(
        "nanoaspire.transfer.regions", "{region}", "Registered regions");
    private static readonly UpDownCounter<long> RegisteredBytes = Meter.CreateUpDownCounter<long>(
        "nanoaspire.transfer.registered.bytes", "By", "Bytes of registered regions");

    /// <summary>Counts <paramref name="work"/> once, however it ends.</summary>
    /// <param name="transport">Name of the transport.</param>
    /// <param name="operation"><c>read</c>, <c>write</c> or <c>send</c>.</param>
    /// <param name="asked">Bytes it is to move.</param>
    /// <param name="work">Ends with its bytes.</param>
    public static async Task<long> MeasureAsync(string transport, string operation, long asked, Task<long> work)
    {
        var name = new KeyValuePair<string, object?>("transport", transport);
        var started = Stopwatch.GetTimestamp();
        InFlight.Add(1, name);
        InFlightBytes.Add(asked, name);
        var outcome = "failed";
        try
        {
            var bytes = await work.ConfigureAwait(false);
            Bytes.Add(bytes, name, new("op", operation));
            outcome = "ok";
            return bytes;
        }
        catch (TransferException e)
        {
            outcome = e.Code.ToString();
            throw;
        }
        catch (OperationCanceledException)
        {
            outcome = "canceled";
            throw;
        }
        finally
        {
            InFlight.Add(-1, name);
            InFlightBytes.Add(-asked, name);
            OperationBytes.Record(asked, name, new("op", operation), new("outcome", outcome));
            Duration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, name, new("op", operation), new("outcome", outcome));
        }
    }

    /// <summary>Lengths are not checked yet: what does not fit into a sum is refused before it is moved.</summary>
    public static long BytesOf(IReadOnlyList<TransferRange> ranges)
    {
        var bytes = 0L;
        for (var i = 0; i < ranges.Count; i++) bytes = (long)Math.Min((ulong)bytes + Math.Min(ranges[i].Length, long.MaxValue), long.MaxValue);
        return bytes;
    }

    public static void Served(string transport, ulong bytes) => ServedBytes.Add((long)bytes, new KeyValuePair<string, object?>("transport", transport));

    public static void Taken(string transport, ulong bytes) => TakenBytes.Add((long)bytes, new KeyValuePair<string, object?>("transport", transport));

    public static void PathChosen(string transport, string path) => Chosen.Add(1, new("transport", transport), new("path", path));

    public static void RefusedRequest(string transport, TransferCode code) => Refused.Add(1, new("transport", transport), new("code", code.ToString()));

    public static void ConnectionsChanged(string side, int change) => Connections.Add(change, new KeyValuePair<string, object?>("side", side));

    public static void RegionsChanged(int count, ulong bytes)
    {
        Regions.Add(count);
        RegisteredBytes.Add(count * (long)bytes);
    }
}
