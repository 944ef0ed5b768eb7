using System.Globalization;
using System.Text.Json.Serialization;

namespace NanoAspire.Benchmarks.Transfer;

/// <summary>One transport beside what it is judged by, medians of one run. A GB is 10⁹ bytes.</summary>
internal sealed record TransferReport
{
    [JsonPropertyName("transport")] public required string Transport { get; init; }
    [JsonPropertyName("gb_s")] public required double GigabytesPerSecond { get; init; }
    /// <summary>The same blocks in the same order from our own memory, one thread.</summary>
    [JsonPropertyName("memcpy_gb_s")] public required double MemoryCopy { get; init; }
    /// <summary>As many bytes in order through as many bare sockets.</summary>
    [JsonPropertyName("socket_pump_gb_s")] public required double SocketPump { get; init; }
    /// <summary>XXH64 of the blocks, one thread: what verifying adds.</summary>
    [JsonPropertyName("checksum_gb_s")] public required double Checksum { get; init; }
    /// <summary>One read of 4 KiB.</summary>
    [JsonPropertyName("p50_us")] public required double P50 { get; init; }
    [JsonPropertyName("p99_us")] public required double P99 { get; init; }
    /// <summary>Processor time of both processes for the large reads.</summary>
    [JsonPropertyName("reader_cpu_s_per_gb")] public required double ReaderCpu { get; init; }
    [JsonPropertyName("source_cpu_s_per_gb")] public required double SourceCpu { get; init; }

    public string ToText() => string.Create(CultureInfo.InvariantCulture,
        $"""
        {Transport,-10}   {GigabytesPerSecond,6:F2} GB/s   cpu s/GB: reader {ReaderCpu:F3}, source {SourceCpu:F3}
        memcpy       {MemoryCopy,6:F2} GB/s   ratio {GigabytesPerSecond / MemoryCopy:F2}
        socket pump  {SocketPump,6:F2} GB/s   ratio {GigabytesPerSecond / SocketPump:F2}
        checksum     {Checksum,6:F2} GB/s
        4 KiB        p50 {P50:F1} µs, p99 {P99:F1} µs
        """);
}
