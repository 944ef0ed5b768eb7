using System.Globalization;
using System.Text.Json.Serialization;

namespace NanoAspire.Benchmarks.Compute;

/// <summary>Figures of one engine run beside the ceilings measured in it.</summary>
internal sealed record EngineReport
{
    [JsonPropertyName("prefill_tok_s")] public required double PrefillTokensPerSecond { get; init; }
    [JsonPropertyName("decode_tok_s")] public required double DecodeTokensPerSecond { get; init; }
    /// <summary>Weights and KV that one generated token reads; a batch shares the weights.</summary>
    [JsonPropertyName("decode_bytes_per_token")] public required long DecodeBytesPerToken { get; init; }
    [JsonPropertyName("memory_bandwidth_gb_s")] public required double MemoryBandwidth { get; init; }
    [JsonPropertyName("decode_bandwidth_fraction")] public required double DecodeBandwidthFraction { get; init; }
    [JsonPropertyName("peak_gflops")] public required double PeakGflops { get; init; }
    [JsonPropertyName("prefill_flops_fraction")] public required double PrefillFlopsFraction { get; init; }

    public string ToText() => string.Create(CultureInfo.InvariantCulture,
        $"""
        prefill  {PrefillTokensPerSecond,8:F1} tok/s   {PrefillFlopsFraction,6:P1} of {PeakGflops:F0} GFLOP/s
        decode   {DecodeTokensPerSecond,8:F1} tok/s   {DecodeBandwidthFraction,6:P1} of {MemoryBandwidth:F1} GB/s, {DecodeBytesPerToken / 1e6:F0} MB a token
        """);
}
