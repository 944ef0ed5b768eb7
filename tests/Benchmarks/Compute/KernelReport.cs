using System.Globalization;
using System.Text.Json.Serialization;

namespace NanoAspire.Benchmarks.Compute;

/// <summary>Products with one matrix beside the ceilings measured in the same run.</summary>
internal sealed record KernelReport
{
    [JsonPropertyName("features")] public required int Features { get; init; }
    [JsonPropertyName("columns")] public required int Columns { get; init; }
    [JsonPropertyName("threads")] public required int Threads { get; init; }
    [JsonPropertyName("memory_bandwidth_gb_s")] public required double MemoryBandwidth { get; init; }
    [JsonPropertyName("peak_gflops")] public required double PeakGflops { get; init; }
    [JsonPropertyName("products")] public required IReadOnlyList<KernelResult> Results { get; init; }

    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"[{Features}, {Columns}], {Threads} threads; {MemoryBandwidth:F1} GB/s, {PeakGflops:F0} GFLOP/s\n")
        + string.Join('\n', Results.Select(r => string.Create(CultureInfo.InvariantCulture,
            $"{r.Type,-5} {r.Rows,5} rows {r.Microseconds,10:F0} µs {r.GigabytesPerSecond,8:F1} GB/s {r.GigabytesPerSecond / MemoryBandwidth,8:P1} {r.Gflops,8:F0} GFLOP/s {r.Gflops / PeakGflops,8:P1}")));
}

/// <summary>One type and number of rows.</summary>
internal sealed record KernelResult
{
    [JsonPropertyName("type")] public required string Type { get; init; }
    [JsonPropertyName("rows")] public required int Rows { get; init; }
    [JsonPropertyName("us")] public required double Microseconds { get; init; }
    /// <summary>Of weights as kept, factors included, each read once.</summary>
    [JsonPropertyName("gb_s")] public required double GigabytesPerSecond { get; init; }
    [JsonPropertyName("gflops")] public required double Gflops { get; init; }
}
