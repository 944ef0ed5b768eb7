using System.Text.Json.Nodes;
using NanoAspire.Ctrl.Tests.Support;

namespace NanoAspire.Native.Rdma.Peers.Tests;

public sealed class PeerReporterTests : IDisposable
{
    private readonly FakeSysfs _sysfs = new();
    private readonly ManualTime _time = new();

    public void Dispose() => _sysfs.Dispose();

    private PeerReporter Create() => new("a", "host", new(new() { SysfsRoot = _sysfs.Root, VisibleDevices = null }), _time);

    private static PeerSummary Moved(long bytes) => new()
    {
        ByOp = new Dictionary<string, PeerOperationTotals> { ["read"] = new() { Assign = 3, Batch = 1, SubmittedBytes = bytes, CompletedBytes = bytes } },
        Messages = new Dictionary<string, PeerMessageTotals> { ["send"] = new() { Posted = 2, Bytes = 9, Pending = 1 } },
        ByPath = new Dictionary<string, PeerPathTotals> { ["shm"] = new() { Assign = 3, Batch = 1, CompletedBytes = bytes } },
        UserMrCount = 1, UserMrBytes = 4096, SysMrCount = 2, SysMrBytes = 128,
    };

    [Fact]
    public void The_rate_is_smoothed_with_three_tenths_of_what_is_new()
    {
        var bandwidth = new Bandwidth(_time);
        Assert.Equal(0, bandwidth.Sample("x", 1_000_000));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0.3 * 8 * 500_000, bandwidth.Sample("x", 2_000_000), 6);
        Assert.Equal(0.3 * 8 * 500_000, bandwidth.Sample("x", 9_000_000), 6); // no time, no rate
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((0.3 * 8 * 1_000_000) + (0.7 * 0.3 * 8 * 500_000), bandwidth.Sample("x", 3_000_000), 6);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(bandwidth.Sample("x", 0) > 0);                           // a counter that starts again is no negative rate
    }

    [Fact]
    public void A_report_has_the_members_of_the_schema()
    {
        _sysfs.Add("mlx5_0", "0000:81:00.0", "0", ("4: ACTIVE", "Ethernet", 100)).Add("mlx5_1", null, null, ("4: ACTIVE", "Ethernet", null));
        var reporter = Create();
        reporter.Report("auto", Moved(0), [], stopped: false);
        _time.Advance(TimeSpan.FromSeconds(1));
        _sysfs.Count("mlx5_0", 1, sent: 350, received: 100);
        var report = reporter.Report("auto", Moved(1000), [new("b", PeerState.Connected, new("h:1", 7), "tcp", 0, null), new("c", PeerState.Waiting, null, null, 0, "not registered")], stopped: false);

        Assert.Equal(
            ["schema_version", "session_id", "peer_id", "host", "pid", "reported_at_ms", "summary", "nics", "paths", "ewma_bandwidth_bps", "connections"],
            report.Select(static p => p.Key));
        Assert.Matches($@"^a:{Environment.ProcessId}:\d{{13}}$", (string)report["session_id"]!);
        Assert.Equal((1, "a", "host", 0.3 * 8000), ((int)report["schema_version"]!, (string)report["peer_id"]!, (string)report["host"]!, (double)report["ewma_bandwidth_bps"]!));
        var summary = report["summary"]!.AsObject();
        foreach (var name in (string[])["assign_total", "batch_total", "submitted_bytes_total", "completed_bytes_total", "failed_bytes_total", "pending_ops", "error_total", "user_mr_count", "user_mr_bytes", "sys_mr_count", "sys_mr_bytes"])
            Assert.True(summary.ContainsKey(name), name);
        Assert.Equal(("1", "4096"), (summary["mr_count"]!.ToJsonString(), summary["mr_bytes"]!.ToJsonString()));
        Assert.Equal(("1", "1"), (summary["pending_ops"]!.ToJsonString(), summary["pending_by_op"]!["send"]!.ToJsonString()));
        Assert.Equal("""{"nic":"mlx5_0","nic_bdf":"0000:81:00.0","port_xmit_bytes_total":1400,"port_rcv_bytes_total":400,"ewma_bandwidth_bps":2400}""", Assert.Single(report["nics"]!.AsArray())!.ToJsonString());
        Assert.Equal(("shm", 1000L), ((string)report["paths"]![0]!["path"]!, (long)report["paths"]![0]!["completed_bytes_total"]!));
        Assert.Equal(
            """[{"conn_id":"a:auto-\u003Eb:h:1","peer":"b","local_nic":"auto","remote_nic":"tcp","state":"connected","connected":true},{"conn_id":"a:auto-\u003Ec:","peer":"c","local_nic":"auto","remote_nic":"","state":"waiting","connected":false}]""",
            report["connections"]!.ToJsonString());
        Assert.Equal("stopped", (string?)reporter.Report("auto", Moved(1000), [], stopped: true)["status"]);
    }
}
