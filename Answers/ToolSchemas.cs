using System.Globalization;
using System.Numerics;
using System.Text.Json;
using NanoAspire.Answers.Json;

namespace NanoAspire.Answers;

/// <summary>What the request's tools say about the types of their parameters: formats that write values as bare text need it.</summary>
public sealed class ToolSchemas
{
    public static readonly ToolSchemas None = new([]);

    private readonly Dictionary<string, Dictionary<string, ValueTypes>> _tools;

    private ToolSchemas(Dictionary<string, Dictionary<string, ValueTypes>> tools) => _tools = tools;

    /// <summary>Reads OpenAI's <c>tools</c>. What is not understood is treated as not declared.</summary>
    public static ToolSchemas Read(JsonElement tools)
    {
        var all = new Dictionary<string, Dictionary<string, ValueTypes>>(StringComparer.Ordinal);
        if (tools.ValueKind is not JsonValueKind.Array) return new(all);
        foreach (var tool in tools.EnumerateArray())
        {
            if (tool.ValueKind is not JsonValueKind.Object || Member(tool, "function") is not { ValueKind: JsonValueKind.Object } function) continue;
            if (Member(function, "name") is not { ValueKind: JsonValueKind.String } name) continue;
            var types = new Dictionary<string, ValueTypes>(StringComparer.Ordinal);
            if (Member(function, "parameters") is { ValueKind: JsonValueKind.Object } parameters && Member(parameters, "properties") is { ValueKind: JsonValueKind.Object } properties)
                foreach (var property in properties.EnumerateObject()) types[property.Name] = TypesOf(property.Value);
            all[name.GetString()!] = types;
        }
        return new(all);
    }

    internal ValueTypes Find(string tool, string parameter) =>
        _tools.TryGetValue(tool, out var types) && types.TryGetValue(parameter, out var found) ? found : ValueTypes.Undeclared;

    /// <summary>The JSON of a value that was written as bare text.</summary>
    /// <param name="types">What the schema allows.</param>
    /// <param name="text">The value as written.</param>
    /// <param name="guess">Whether text of no declared type may be JSON; else it is a string.</param>
    internal static string Convert(ValueTypes types, string text, bool guess)
    {
        var trimmed = text.Trim();
        var mayBeString = types.HasFlag(ValueTypes.String);
        if (types is ValueTypes.String || (types is ValueTypes.Undeclared && !guess)) return JsonText.Quote(text);
        if (trimmed is "null" or "None" && (types.HasFlag(ValueTypes.Null) || !mayBeString)) return "null";
        if (types.HasFlag(ValueTypes.Boolean) && trimmed.ToLowerInvariant() is "true" or "false") return trimmed.ToLowerInvariant();
        if ((types & (ValueTypes.Integer | ValueTypes.Number)) != 0 && NumberOf(trimmed) is { } number) return number;
        if (types is ValueTypes.Undeclared || (types & (ValueTypes.Object | ValueTypes.Array | ValueTypes.Any)) != 0 || !mayBeString)
            return JsonText.Valid(trimmed) is { } json && !(mayBeString && json is not ['{' or '[', ..]) ? json : JsonText.Quote(text);
        return JsonText.Quote(text);
    }

    private static string? NumberOf(string text)
    {
        if (BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)) return integer.ToString(CultureInfo.InvariantCulture);
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number)) return null;
        // Models write 3.0 where a schema says integer; both mean 3.
        return number == Math.Truncate(number) && Math.Abs(number) < 1e15
            ? ((long)number).ToString(CultureInfo.InvariantCulture)
            : JsonText.Valid(text) ?? number.ToString("R", CultureInfo.InvariantCulture);
    }

    private static ValueTypes TypesOf(JsonElement schema)
    {
        if (schema.ValueKind is not JsonValueKind.Object) return ValueTypes.Any;
        if (Member(schema, "type") is { } type)
        {
            if (type.ValueKind is JsonValueKind.String) return Named(type.GetString());
            if (type.ValueKind is JsonValueKind.Array)
                return type.EnumerateArray().Aggregate(ValueTypes.Undeclared, (all, one) => all | (one.ValueKind is JsonValueKind.String ? Named(one.GetString()) : ValueTypes.Any));
        }
        foreach (var union in (string[])["anyOf", "oneOf"])
            if (Member(schema, union) is { ValueKind: JsonValueKind.Array } options)
                return options.EnumerateArray().Aggregate(ValueTypes.Undeclared, (all, one) => all | TypesOf(one));
        if (Member(schema, "enum") is { ValueKind: JsonValueKind.Array } values && values.EnumerateArray().All(value => value.ValueKind is JsonValueKind.String)) return ValueTypes.String;
        return ValueTypes.Any;
    }

    private static ValueTypes Named(string? type) => type switch
    {
        "string" => ValueTypes.String,
        "integer" => ValueTypes.Integer,
        "number" => ValueTypes.Number,
        "boolean" => ValueTypes.Boolean,
        "object" => ValueTypes.Object,
        "array" => ValueTypes.Array,
        "null" => ValueTypes.Null,
        _ => ValueTypes.Any,
    };

    private static JsonElement? Member(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? value : null;
}
