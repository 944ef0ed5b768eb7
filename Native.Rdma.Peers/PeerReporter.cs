using System.Globalization;
using System.Text.Json.Nodes;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>What an agent says of itself, step by step: the record <c>obs:peer:*</c>, schema 1. Not thread-safe.</summary>
/// <remarks>
/// <c>nics</c> are cards and count what their ports count, of all processes; work requests, their failures and completion errors by card
/// (<c>post_*</c>, <c>cq_errors_total</c>) are UCX's and the kernel's, and left out. What we moved stands under <c>paths</c>.
/// </remarks>
internal sealed class PeerReporter(string alias, string host, NicDiscovery nics, TimeProvider time)
{
    private readonly Bandwidth _bandwidth = new(time);
    private readonly string _session = string.Create(CultureInfo.InvariantCulture, $"{alias}:{Environment.ProcessId}:{time.GetUtcNow().ToUnixTimeMilliseconds()}");

    public JsonObject Report(string transport, PeerSummary summary, IReadOnlyList<PeerConnection> connections, bool stopped)
    {
        var rate = _bandwidth.Sample("", summary.CompletedBytesTotal);
        Telemetry.Bandwidth(alias, rate);
        var report = new JsonObject
        {
            ["schema_version"] = 1,
            ["session_id"] = _session,
            ["peer_id"] = alias,
            ["host"] = host,
            ["pid"] = Environment.ProcessId,
            ["reported_at_ms"] = time.GetUtcNow().ToUnixTimeMilliseconds(),
            ["summary"] = Summary(summary),
            ["nics"] = new JsonArray([.. nics.Find().Select(Nic).OfType<JsonObject>()]),
            ["paths"] = new JsonArray([.. summary.ByPath.OrderBy(static p => p.Key, StringComparer.Ordinal).Select(p => PathTotals(p.Key, p.Value))]),
            ["ewma_bandwidth_bps"] = rate,
            ["connections"] = new JsonArray([.. connections.Select(c => Connection(transport, c))]),
        };
        if (stopped) report["status"] = "stopped";
        return report;
    }

    private static JsonObject Summary(PeerSummary s)
    {
        var byOp = new JsonObject();
        foreach (var (name, t) in s.ByOp)
        {
            byOp[name] = new JsonObject
            {
                ["assign"] = t.Assign, ["batch"] = t.Batch, ["submitted_bytes"] = t.SubmittedBytes, ["completed_bytes"] = t.CompletedBytes,
                ["failed_bytes"] = t.FailedBytes, ["pending"] = t.Pending, ["errors"] = t.Errors,
            };
        }
        foreach (var (name, t) in s.Messages)
            byOp[name] = new JsonObject { ["pending"] = t.Pending, ["post_batch"] = t.Posted, ["post_bytes"] = t.Bytes, ["post_failures"] = t.Failures };
        return new()
        {
            ["assign_total"] = s.AssignTotal, ["batch_total"] = s.BatchTotal, ["submitted_bytes_total"] = s.SubmittedBytesTotal,
            ["completed_bytes_total"] = s.CompletedBytesTotal, ["failed_bytes_total"] = s.FailedBytesTotal,
            ["pending_ops"] = s.PendingOps, ["error_total"] = s.ErrorTotal,
            ["user_mr_count"] = s.UserMrCount, ["user_mr_bytes"] = s.UserMrBytes, ["sys_mr_count"] = s.SysMrCount, ["sys_mr_bytes"] = s.SysMrBytes,
            ["mr_count"] = s.UserMrCount, ["mr_bytes"] = s.UserMrBytes,
            ["pending_by_op"] = new JsonObject(s.PendingByOp.Select(static p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
            ["by_op"] = byOp,
        };
    }

    private JsonObject? Nic(NetworkCard card) => nics.Traffic(card) is not { } traffic ? null : new()
    {
        ["nic"] = card.Name, ["nic_bdf"] = card.PciBusId, ["port_xmit_bytes_total"] = traffic.Sent, ["port_rcv_bytes_total"] = traffic.Received,
        ["ewma_bandwidth_bps"] = _bandwidth.Sample("nic:" + card.Name, traffic.Sent + traffic.Received),
    };

    private JsonObject PathTotals(string path, PeerPathTotals t) => new()
    {
        ["path"] = path, ["assign_total"] = t.Assign, ["batch_total"] = t.Batch, ["completed_bytes_total"] = t.CompletedBytes,
        ["failed_bytes_total"] = t.FailedBytes, ["error_total"] = t.Errors, ["ewma_bandwidth_bps"] = _bandwidth.Sample("path:" + path, t.CompletedBytes),
    };

    /// <summary>No card stands for a connection of ours: its ends are transports.</summary>
    private JsonObject Connection(string transport, PeerConnection c) => new()
    {
        ["conn_id"] = $"{alias}:{transport}->{c.Peer}:{c.Target?.Address}", ["peer"] = c.Peer, ["local_nic"] = transport, ["remote_nic"] = c.Transport ?? "",
        ["state"] = c.State.ToString().ToLowerInvariant(), ["connected"] = c.State == PeerState.Connected,
    };
}
