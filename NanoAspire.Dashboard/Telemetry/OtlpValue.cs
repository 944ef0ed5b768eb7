using System.Globalization;
using System.Text;

namespace NanoAspire.Dashboard.Telemetry;

/// <summary>An OTLP AnyValue: null, string, bool, long, double, byte[], <see cref="OtlpValue"/>[] or <see cref="OtlpAttribute"/>[].</summary>
internal readonly record struct OtlpValue(object? Content)
{
    /// <summary>As people read it; lists and maps in JSON's manner.</summary>
    public override string ToString() => Content switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        byte[] bytes => Convert.ToBase64String(bytes),
        OtlpValue[] list => new StringBuilder().Append('[').AppendJoin(", ", list.Select(Quoted)).Append(']').ToString(),
        OtlpAttribute[] map => new StringBuilder().Append('{').AppendJoin(", ", map.Select(pair => $"\"{pair.Key}\": {Quoted(pair.Value)}")).Append('}').ToString(),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => Content.ToString() ?? "",
    };

    private static string Quoted(OtlpValue value) => value.Content is string text ? $"\"{text}\"" : value.ToString();
}

/// <summary>A key and its value.</summary>
internal readonly record struct OtlpAttribute(string Key, OtlpValue Value)
{
    public OtlpAttribute(string key, object? content) : this(key, new OtlpValue(content)) { }
}
