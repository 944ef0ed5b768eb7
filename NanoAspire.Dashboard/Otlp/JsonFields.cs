using System.Globalization;
using System.Text.Json;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>OTLP's JSON: ids in hex, 64-bit numbers as text or number, names in lower camel case; unknown fields are passed over.</summary>
internal static class JsonFields
{
    public static JsonDocument Parse(byte[] body) => JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32 });

    /// <summary>A list of objects; absent means empty.</summary>
    public static IEnumerable<JsonElement> List(this JsonElement element, string name) => Items(element, name).Select(item =>
        item.ValueKind == JsonValueKind.Object ? item : throw new OtlpFormatException($"{name} holds something that is not an object"));

    public static JsonElement? Child(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.Object ? child : null;

    public static string Text(this JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String) return "";
        var text = value.GetString()!;
        return text.Length <= OtlpLimits.TextLength ? text : text[..OtlpLimits.TextLength];
    }

    public static ulong UInt64(this JsonElement element, string name) => element.TryGetProperty(name, out var value) ? (ulong)Int64(value) : 0;

    public static long Int64(this JsonElement element, string name) => element.TryGetProperty(name, out var value) ? Int64(value) : 0;

    public static double Double(this JsonElement element, string name) => element.TryGetProperty(name, out var value) ? Double(value) : 0;

    /// <summary>Null unless it is hex of <paramref name="bytes"/> bytes, not all zero.</summary>
    public static string? Id(this JsonElement element, string name, int bytes)
    {
        var text = element.Text(name);
        return text.Length == bytes * 2 && text.All(char.IsAsciiHexDigit) && text.AsSpan().IndexOfAnyExcept('0') >= 0 ? text.ToLowerInvariant() : null;
    }

    public static OtlpAttribute[] Attributes(this JsonElement element, int depth = OtlpLimits.Depth) =>
        [.. element.List("attributes").Take(OtlpLimits.Attributes).Select(pair => Attribute(pair, depth))];

    public static TelemetryResource Resource(this JsonElement element, Func<OtlpAttribute[], TelemetryResource> intern) =>
        intern(element.Child("resource")?.Attributes() ?? []);

    public static string ScopeName(this JsonElement element) => element.Child("scope")?.Text("name") ?? "";

    public static OtlpValue Value(JsonElement value, int depth = OtlpLimits.Depth)
    {
        if (depth <= 0) throw new OtlpFormatException("values are nested too deeply");
        if (value.ValueKind != JsonValueKind.Object) return default;
        foreach (var property in value.EnumerateObject())
        {
            switch (property.Name)
            {
                case "stringValue": return new OtlpValue(value.Text("stringValue"));
                case "boolValue": return new OtlpValue(property.Value.ValueKind == JsonValueKind.True);
                case "intValue": return new OtlpValue(Int64(property.Value));
                case "doubleValue": return new OtlpValue(Double(property.Value));
                case "bytesValue": return new OtlpValue(property.Value.TryGetBytesFromBase64(out var bytes) ? bytes : []);
                case "arrayValue": return new OtlpValue(property.Value.List("values").Take(OtlpLimits.Attributes).Select(item => Value(item, depth - 1)).ToArray());
                case "kvlistValue": return new OtlpValue(property.Value.List("values").Take(OtlpLimits.Attributes).Select(item => Attribute(item, depth - 1)).ToArray());
            }
        }
        return default;
    }

    private static OtlpAttribute Attribute(JsonElement pair, int depth) =>
        new(pair.Text("key"), pair.Child("value") is { } value ? Value(value, depth) : default);

    private static long Int64(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt64(out var number) => number,
        JsonValueKind.Number when value.TryGetUInt64(out var number) => (long)number,
        JsonValueKind.String when long.TryParse(value.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        JsonValueKind.String when ulong.TryParse(value.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) => (long)number,
        _ => throw new OtlpFormatException("expected a whole number"),
    };

    private static double Double(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String when value.GetString() is "NaN" => double.NaN,
        JsonValueKind.String when value.GetString() is "Infinity" => double.PositiveInfinity,
        JsonValueKind.String when value.GetString() is "-Infinity" => double.NegativeInfinity,
        JsonValueKind.String when double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw new OtlpFormatException("expected a number"),
    };

    public static IEnumerable<double> Doubles(this JsonElement element, string name) => Items(element, name).Select(Double);

    public static IEnumerable<long> Int64s(this JsonElement element, string name) => Items(element, name).Select(Int64);

    private static IEnumerable<JsonElement> Items(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object) throw new OtlpFormatException("expected an object");
        if (!element.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null) yield break;
        if (list.ValueKind != JsonValueKind.Array) throw new OtlpFormatException($"{name} is not a list");
        foreach (var item in list.EnumerateArray()) yield return item;
    }
}
