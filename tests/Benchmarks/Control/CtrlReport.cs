using System.Globalization;
using System.Text;

namespace NanoAspire.Benchmarks.Control;

/// <summary>Figures of one run. Rates are a second.</summary>
internal sealed record CtrlReport
{
    public required int Connections { get; init; }
    public required IReadOnlyList<CtrlFigures> Figures { get; init; }
    /// <summary>What redis-benchmark reports for PEXPIRE; null without Redis.</summary>
    public double? RedisPexpire { get; init; }
    /// <summary>What redis-benchmark reports for the heartbeat's own script; null without Redis.</summary>
    public double? RedisHeartbeatScript { get; init; }
    /// <summary>Best heartbeat rate on Redis over <see cref="RedisPexpire"/>.</summary>
    public double? HeartbeatToPexpire { get; init; }
    /// <summary>Best heartbeat rate on Redis over <see cref="RedisHeartbeatScript"/>.</summary>
    public double? HeartbeatToScript { get; init; }

    public string ToText()
    {
        var text = new StringBuilder();
        var culture = CultureInfo.InvariantCulture;
        text.AppendLine(culture, $"{"store",-9} {"engines",8} {"register/s",11} {"heartbeat/s",12} {"p50 us",8} {"p99 us",8} {"cpu us",7} {"lookup/s",9} {"list ms",8}");
        foreach (var row in Figures)
            text.AppendLine(culture, $"{row.Store,-9} {row.Engines,8} {row.Registrations,11:F0} {row.Heartbeats,12:F0} {row.HeartbeatP50Us,8:F0} {row.HeartbeatP99Us,8:F0} {row.HeartbeatCpuUs,7:F1} {row.Lookups,9:F0} {row.ListMs,8:F1}");
        if (RedisPexpire is null) text.Append("no redis-server and redis-benchmark on the PATH: embedded store only");
        else text.Append(culture, $"redis-benchmark: PEXPIRE {RedisPexpire:F0}/s, heartbeat script {RedisHeartbeatScript:F0}/s; heartbeats reach {HeartbeatToPexpire:P0} and {HeartbeatToScript:P0} of them");
        return text.ToString();
    }
}

/// <summary>One store with one number of engines.</summary>
internal sealed record CtrlFigures
{
    public required string Store { get; init; }
    public required int Engines { get; init; }
    public required double Registrations { get; init; }
    public required double Heartbeats { get; init; }
    public required double HeartbeatP50Us { get; init; }
    public required double HeartbeatP99Us { get; init; }
    /// <summary>Processor time of the service for one heartbeat: the figure that a busy machine spoils least.</summary>
    public required double HeartbeatCpuUs { get; init; }
    public required double Lookups { get; init; }
    /// <summary>Median time of one list of all engines.</summary>
    public required double ListMs { get; init; }
}
