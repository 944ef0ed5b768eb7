using System.Text.Json;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>
/// The keywords of one or more schemas that must all hold, put together. Every keyword is either understood, known to say nothing
/// about validity, or refused by name: nothing is dropped in silence.
/// </summary>
internal sealed class SchemaNode
{
    private static readonly HashSet<string> Silent =
    [
        "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
        "contentMediaType", "contentEncoding", "discriminator", "strict", "externalDocs",
    ];

    private bool _never;

    public SchemaTypes Types { get; private set; } = SchemaTypes.All;
    /// <summary>Null: any value.</summary>
    public List<JsonElement>? Enum { get; private set; }
    public HashSet<string> Required { get; } = new(StringComparer.Ordinal);
    /// <summary>Schemas that speak of an object's members or an array's elements; each judges on its own.</summary>
    public List<SchemaRef> ObjectParts { get; } = [];
    public List<SchemaRef> ArrayParts { get; } = [];
    public int MinItems { get; private set; }
    public int? MaxItems { get; private set; }
    public int MinLength { get; private set; }
    public int? MaxLength { get; private set; }
    public List<(string Pattern, bool Search, string Path)> Patterns { get; } = [];
    public Bound? Minimum { get; private set; }
    public Bound? Maximum { get; private set; }
    public string Path { get; private set; } = "$";

    /// <summary>No value can satisfy it.</summary>
    public bool IsNever => _never || Types == SchemaTypes.None || Enum is { Count: 0 } || MaxLength < MinLength || MaxItems < MinItems;

    /// <summary>True when nothing was said at all.</summary>
    public bool IsAny => !_never && Types == SchemaTypes.All && Enum is null && Required.Count == 0 && ObjectParts.Count == 0 && ArrayParts.Count == 0
        && MinItems == 0 && MaxItems is null && MinLength == 0 && MaxLength is null && Patterns.Count == 0 && Minimum is null && Maximum is null;

    /// <summary>The same without some types; the node itself is used up.</summary>
    public SchemaNode Without(SchemaTypes types)
    {
        Types &= ~types;
        return this;
    }

    /// <summary>Adds a schema's own keywords.</summary>
    public void Add(SchemaRef schema)
    {
        Path = schema.Path;
        if (schema.Value.ValueKind != JsonValueKind.Object)
        {
            _never |= schema.Value.ValueKind == JsonValueKind.False;
            return;
        }
        var said = SchemaTypes.None;                       // types that keywords without "type" speak of
        foreach (var member in schema.Value.EnumerateObject()) said |= Add(schema, member.Name, member.Value);
        if (!schema.Value.TryGetProperty("type", out _) && said != SchemaTypes.None && !schema.Value.TryGetProperty("enum", out _) && !schema.Value.TryGetProperty("const", out _)) Types &= said;
    }

    private SchemaTypes Add(SchemaRef schema, string name, JsonElement value)
    {
        var path = schema.Path;
        switch (name)
        {
            case "type":
                Types &= ReadTypes(value, path) | (Is(schema, "nullable") ? SchemaTypes.Null : SchemaTypes.None);
                return SchemaTypes.None;
            case "nullable":
                return SchemaTypes.None;
            case "enum":
                if (value.ValueKind != JsonValueKind.Array) throw Wrong(name, "a list", path);
                Restrict([.. value.EnumerateArray()]);
                return SchemaTypes.None;
            case "const":
                Restrict([value]);
                return SchemaTypes.None;
            case "properties" or "additionalProperties":
                if (!ObjectParts.Contains(schema)) ObjectParts.Add(schema);
                return SchemaTypes.Object;
            case "required":
                if (value.ValueKind != JsonValueKind.Array) throw Wrong(name, "a list of names", path);
                foreach (var item in value.EnumerateArray()) Required.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(name, "a list of names", path));
                return SchemaTypes.Object;
            case "items" or "prefixItems":
                if (!ArrayParts.Contains(schema)) ArrayParts.Add(schema);
                return SchemaTypes.Array;
            case "uniqueItems" when value.ValueKind == JsonValueKind.False:
                return SchemaTypes.None;
            case "minItems":
                MinItems = Math.Max(MinItems, Count(name, value, path));
                return SchemaTypes.Array;
            case "maxItems":
                MaxItems = Math.Min(MaxItems ?? int.MaxValue, Count(name, value, path));
                return SchemaTypes.Array;
            case "minLength":
                MinLength = Math.Max(MinLength, Count(name, value, path));
                return SchemaTypes.String;
            case "maxLength":
                MaxLength = Math.Min(MaxLength ?? int.MaxValue, Count(name, value, path));
                return SchemaTypes.String;
            case "pattern":
                Patterns.Add((Text(name, value, path), true, $"{path}.pattern"));
                return SchemaTypes.String;
            case "format":
                var format = Text(name, value, path);
                Patterns.Add((Formats.PatternOf(format) ?? throw new GrammarException($"{path}.format", $"the format '{format}' is not supported (only {string.Join(", ", Formats.Names)})"), false, $"{path}.format"));
                return SchemaTypes.String;
            case "minimum" or "exclusiveMinimum":
                var low = ReadBound(name, value, path);
                if (Minimum is not { } known || low.Value > known.Value || (low.Value == known.Value && low.Exclusive)) Minimum = low;
                return SchemaTypes.Integer | SchemaTypes.Number;
            case "maximum" or "exclusiveMaximum":
                var high = ReadBound(name, value, path);
                if (Maximum is not { } given || high.Value < given.Value || (high.Value == given.Value && high.Exclusive)) Maximum = high;
                return SchemaTypes.Integer | SchemaTypes.Number;
            case "allOf" or "anyOf" or "oneOf" or "$ref":
                return SchemaTypes.None;                   // see SchemaCompiler.Gather
            default:
                if (Silent.Contains(name) || name.StartsWith("x-", StringComparison.Ordinal)) return SchemaTypes.None;
                throw new GrammarException(path, $"the keyword '{name}' is not supported");
        }
    }

    private void Restrict(List<JsonElement> values) => Enum = Enum is null ? values : Enum.FindAll(known => values.Exists(value => JsonElement.DeepEquals(known, value)));

    private static SchemaTypes ReadTypes(JsonElement value, string path)
    {
        if (value.ValueKind == JsonValueKind.String) return TypeOf(value.GetString()!, path);
        if (value.ValueKind != JsonValueKind.Array) throw Wrong("type", "a name or a list of names", path);
        var types = SchemaTypes.None;
        foreach (var item in value.EnumerateArray()) types |= TypeOf(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong("type", "a name or a list of names", path), path);
        return types;
    }

    private static SchemaTypes TypeOf(string name, string path) => name switch
    {
        "null" => SchemaTypes.Null,
        "boolean" => SchemaTypes.Boolean,
        "integer" => SchemaTypes.Integer,
        "number" => SchemaTypes.Integer | SchemaTypes.Number,
        "string" => SchemaTypes.String,
        "array" => SchemaTypes.Array,
        "object" => SchemaTypes.Object,
        _ => throw new GrammarException(path, $"the type '{name}' does not exist"),
    };

    private static bool Is(SchemaRef schema, string name) => schema.Value.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static int Count(string name, JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) && count >= 0 ? count : throw Wrong(name, "a whole number that is not negative", path);

    private static string Text(string name, JsonElement value, string path) => value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(name, "a string", path);

    private static Bound ReadBound(string name, JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.Number) throw Wrong(name, "a number", path);
        var bound = value.TryGetDecimal(out var exact) ? exact : value.GetDouble() > 0 ? decimal.MaxValue : decimal.MinValue;
        return new(bound, name.StartsWith("exclusive", StringComparison.Ordinal));
    }

    private static GrammarException Wrong(string name, string expected, string path) => new(path, $"'{name}' must be {expected}");
}
