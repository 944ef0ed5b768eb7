using System.Text.Json;

namespace NanoAspire.Engine.Server.Requests;

/// <summary>Typed reads of a request body. A null counts as absent; a wrong type is an error that names the parameter.</summary>
internal readonly struct JsonFields(JsonElement body)
{
    public JsonElement? Find(string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public string? String(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw Wrong(name, "a string"),
    };

    public bool? Bool(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(name, "true or false"),
    };

    public int? Int(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) => number,
        _ => throw Wrong(name, "an integer of 32 bits"),
    };

    public long? Long(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt64(out var number) => number,
        _ => throw Wrong(name, "an integer of 64 bits"),
    };

    public float? Float(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetSingle(out var number) && float.IsFinite(number) => number,
        _ => throw Wrong(name, "a finite number"),
    };

    /// <summary>A string or a list of strings.</summary>
    public IReadOnlyList<string> Strings(string name, int most)
    {
        if (Find(name) is not { } value) return [];
        if (value.ValueKind == JsonValueKind.String) return [value.GetString()!];
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(name, "a string or a list of strings");
        if (value.GetArrayLength() > most) throw new BadRequestException($"'{name}' takes at most {most} entries", name);
        var list = new List<string>();
        foreach (var item in value.EnumerateArray())
            list.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(name, "a string or a list of strings"));
        return list;
    }

    public IReadOnlyList<int> Ints(string name, int most)
    {
        if (Find(name) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(name, "a list of integers");
        if (value.GetArrayLength() > most) throw new BadRequestException($"'{name}' takes at most {most} entries", name);
        return ReadInts(value, name);
    }

    public static int[] ReadInts(JsonElement array, string name)
    {
        var ids = new int[array.GetArrayLength()];
        var i = 0;
        foreach (var item in array.EnumerateArray())
            ids[i++] = item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var id) ? id : throw Wrong(name, "integers only");
        return ids;
    }

    public static BadRequestException Wrong(string name, string expected) => new($"'{name}' must be {expected}", name);
}
