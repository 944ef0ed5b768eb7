using System.Text.Json.Serialization;

namespace NanoAspire.Dashboard.Pages;

/// <summary>What the script needs to name the values under the pointer.</summary>
internal sealed record ChartData(IReadOnlyList<string> Times, IReadOnlyList<ChartSeries> Series);

internal sealed record ChartSeries(string Name, string Colour, IReadOnlyList<string?> Values);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ChartData))]
internal sealed partial class ChartJson : JsonSerializerContext;
