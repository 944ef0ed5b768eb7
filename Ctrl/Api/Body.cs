using System.Text.Json;

namespace NanoAspire.Ctrl.Api;

/// <summary>
/// A request's JSON object, read field by field the way the contract types it: unsigned integers are exact, null counts as absent
/// only where said, a field given twice is refused, fields nobody asks for are ignored.
/// </summary>
internal sealed class Body
{
    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);

    public Body(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) throw ApiException.Unfit("$", "expected a JSON object");
        foreach (var field in root.EnumerateObject())
        {
            if (!_fields.TryAdd(field.Name, field.Value)) throw ApiException.Unfit(field.Name, "given twice");
        }
    }

    public IEnumerable<KeyValuePair<string, JsonElement>> Fields => _fields;

    public string Text(string name) => AsText(name, Required(name));

    /// <summary>Absent or null gives null.</summary>
    public string? OptionalText(string name) => Optional(name) is { } value ? AsText(name, value) : null;

    /// <summary>Absent gives the default; null is refused.</summary>
    public string TextOr(string name, string absent) => _fields.TryGetValue(name, out var value) ? AsText(name, value) : absent;

    public uint U32(string name) => AsU32(name, Required(name));

    public uint? OptionalU32(string name) => Optional(name) is { } value ? AsU32(name, value) : null;

    public uint U32Or(string name, uint absent) => _fields.TryGetValue(name, out var value) ? AsU32(name, value) : absent;

    public ulong U64(string name) =>
        Required(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetUInt64(out var number) ? number : throw ApiException.Unfit(name, "expected an unsigned 64-bit integer");

    public bool FlagOr(string name, bool absent) => !_fields.TryGetValue(name, out var value) ? absent : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw ApiException.Unfit(name, "expected true or false"),
    };

    public string[] Texts(string name, int most)
    {
        var value = Required(name);
        if (value.ValueKind != JsonValueKind.Array) throw ApiException.Unfit(name, "expected an array of strings");
        if (value.GetArrayLength() > most) throw ApiException.Unfit(name, $"more than {most} elements");
        var texts = new string[value.GetArrayLength()];
        var i = 0;
        foreach (var element in value.EnumerateArray())
        {
            texts[i] = AsText($"{name}[{i}]", element);
            i++;
        }
        return texts;
    }

    /// <summary>JSON text of a free-form field; null when absent or null.</summary>
    public string? OptionalJson(string name) => Optional(name)?.GetRawText();

    /// <summary>JSON text of a free-form field; the default when absent. An explicit null is kept.</summary>
    public string JsonOr(string name, string absent) => _fields.TryGetValue(name, out var value) ? value.GetRawText() : absent;

    private JsonElement Required(string name) => _fields.TryGetValue(name, out var value) ? value : throw ApiException.Unfit(name, "missing field");

    private JsonElement? Optional(string name) => _fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string AsText(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) throw ApiException.Unfit(name, "expected a string");
        try { return value.GetString()!; }
        catch (InvalidOperationException) { throw ApiException.Unfit(name, "is not valid Unicode"); }
    }

    private static uint AsU32(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetUInt32(out var number) ? number : throw ApiException.Unfit(name, "expected an unsigned 32-bit integer");
}
