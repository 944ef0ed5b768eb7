using System.Diagnostics.Metrics;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Metrics of all agents of the process, on the meter of the transports.</summary>
internal static class Telemetry
{
    private static readonly Meter Meter = new("NanoAspire.Transfer");

    private static readonly UpDownCounter<long> Peers = Meter.CreateUpDownCounter<long>(
        "nanoaspire.transfer.peers", "{peer}", "Wanted connections by state");
    private static readonly Counter<long> Attempts = Meter.CreateCounter<long>(
        "nanoaspire.transfer.peer.attempts", "{attempt}", "Attempts to connect to a peer");
    private static readonly Counter<long> Lost = Meter.CreateCounter<long>(
        "nanoaspire.transfer.peer.lost", "{peer}", "Connections that ended, by reason");

    private static readonly Counter<long> Messages = Meter.CreateCounter<long>(
        "nanoaspire.transfer.peer.messages", "{message}", "Messages sent, and messages and notifications received, by agents");

    private static readonly Gauge<double> Rate = Meter.CreateGauge<double>(
        "nanoaspire.transfer.peer.bandwidth", "bit/s", "Smoothed rate of what an agent moves");

    public static void StateChanged(PeerState? from, PeerState? to)
    {
        if (from == to) return;
        if (from is { } old) Peers.Add(-1, Tag(old));
        if (to is { } now) Peers.Add(1, Tag(now));
    }

    public static void Attempted(bool succeeded) => Attempts.Add(1, new KeyValuePair<string, object?>("outcome", succeeded ? "ok" : "failed"));

    public static void MessageDone(string operation) => Messages.Add(1, new KeyValuePair<string, object?>("op", operation));

    public static void Bandwidth(string alias, double rate) => Rate.Record(rate, new KeyValuePair<string, object?>("alias", alias));

    public static void ConnectionLost(string reason) => Lost.Add(1, new KeyValuePair<string, object?>("reason", reason));

    private static KeyValuePair<string, object?> Tag(PeerState state) => new("state", state.ToString().ToLowerInvariant());
}
