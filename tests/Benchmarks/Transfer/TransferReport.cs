using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace NanoAspire.Benchmarks.Transfer;

/// <summary>One transport beside what it is judged by, medians of one run. A GB is 10⁹ bytes.</summary>
internal sealed record TransferReport
{
    [JsonPropertyName("transport")] public required string Transport { get; init; }
    /// <summary>What moved the bytes, and why.</summary>
    [JsonPropertyName("path")] public required string Path { get; init; }
    [JsonPropertyName("gb_s")] public required double GigabytesPerSecond { get; init; }
    /// <summary>One block again and again, as perftest does it.</summary>
    [JsonPropertyName("hot_gb_s")] public required double Hot { get; init; }
    /// <summary>The same blocks in the same order from our own memory, one thread.</summary>
    [JsonPropertyName("memcpy_gb_s")] public required double MemoryCopy { get; init; }
    /// <summary>The same blocks in the same order through as many bare blocking sockets.</summary>
    [JsonPropertyName("socket_pump_gb_s")] public required double SocketPump { get; init; }
    /// <summary>XXH64 of the blocks, one thread: what verifying adds.</summary>
    [JsonPropertyName("checksum_gb_s")] public required double Checksum { get; init; }
    /// <summary><c>ucx_perftest -t ucp_get</c> with the same transport, block and window; null without ucx-utils.</summary>
    [JsonPropertyName("perftest_hot_gb_s")] public double? PerftestHot { get; init; }
    /// <summary>The same with one buffer of all bytes.</summary>
    [JsonPropertyName("perftest_cold_gb_s")] public double? PerftestCold { get; init; }
    /// <summary>The same as hot, over <c>UCX_TLS=tcp</c>.</summary>
    [JsonPropertyName("perftest_tcp_gb_s")] public double? PerftestTcp { get; init; }
    /// <summary>One read of 4 KiB at a time.</summary>
    [JsonPropertyName("p50_us")] public required double P50 { get; init; }
    [JsonPropertyName("p99_us")] public required double P99 { get; init; }
    /// <summary>Ranges of 64 bytes, batched.</summary>
    [JsonPropertyName("small_ranges_s")] public required double SmallRanges { get; init; }
    /// <summary>Processor time of both processes for the large reads.</summary>
    [JsonPropertyName("reader_cpu_s_per_gb")] public required double ReaderCpu { get; init; }
    [JsonPropertyName("source_cpu_s_per_gb")] public required double SourceCpu { get; init; }

    public string ToText()
    {
        var text = new StringBuilder();
        Line($"{Transport,-15} {GigabytesPerSecond,6:F2} GB/s   cpu s/GB: reader {ReaderCpu:F3}, source {SourceCpu:F3}   ({Path})");
        Line($"  memcpy        {MemoryCopy,6:F2} GB/s   ratio {GigabytesPerSecond / MemoryCopy:F2}");
        Line($"  socket pump   {SocketPump,6:F2} GB/s   ratio {GigabytesPerSecond / SocketPump:F2}");
        if (PerftestCold is { } cold) Line($"  perftest      {cold,6:F2} GB/s   ratio {GigabytesPerSecond / cold:F2}");
        if (PerftestHot is { } hot) Line($"  hot           {Hot,6:F2} GB/s   perftest {hot:F2}, ratio {Hot / hot:F2}");
        if (PerftestTcp is { } tcp) Line($"  UCX over TCP  {tcp,6:F2} GB/s   ratio {GigabytesPerSecond / tcp:F2}");
        Line($"  checksum      {Checksum,6:F2} GB/s");
        Line($"  4 KiB         p50 {P50:F1} µs, p99 {P99:F1} µs");
        Line($"  64 B batched  {SmallRanges / 1e6:F2} million/s");
        return text.ToString().TrimEnd();

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
