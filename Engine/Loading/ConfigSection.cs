using System.Text.Json;

namespace NanoAspire.Engine.Loading;

/// <summary>Reads one JSON object of a configuration; every error names the file and the field.</summary>
internal sealed class ConfigSection(JsonElement json, string path)
{
    public string Path { get; } = path;

    /// <summary>False when absent or null.</summary>
    public bool Has(string field) => Find(field) is not null;

    public ModelLoadException Bad(string field, string why) => new($"{Path}: {field} {why}");

    public int PositiveInt(string field) => OptionalPositiveInt(field) ?? throw Bad(field, "is missing");

    public int? OptionalPositiveInt(string field)
    {
        if (Find(field) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number > 0) return number;
        throw Bad(field, $"must be a positive integer, not {value.GetRawText()}");
    }

    /// <summary>0 or more; null when absent.</summary>
    public int? OptionalCount(string field)
    {
        if (Find(field) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0) return number;
        throw Bad(field, $"must be an integer that is not negative, not {value.GetRawText()}");
    }

    /// <summary>A list of integers that are not negative; empty when absent.</summary>
    public IReadOnlyList<int> Counts(string field)
    {
        if (Find(field) is not { } value) return [];
        var numbers = new List<int>();
        if (value.ValueKind != JsonValueKind.Array) throw Bad(field, "must be a list of integers");
        foreach (var item in value.EnumerateArray())
            numbers.Add(item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number) && number >= 0 ? number : throw Bad(field, $"must be a list of integers that are not negative, not {value.GetRawText()}"));
        return numbers;
    }

    public double PositiveNumber(string field) => OptionalPositiveNumber(field) ?? throw Bad(field, "is missing");

    public double? OptionalPositiveNumber(string field)
    {
        if (Find(field) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number > 0 && double.IsFinite(number)) return number;
        throw Bad(field, $"must be a positive number, not {value.GetRawText()}");
    }

    /// <summary>A positive number; zero, like absence, is null: exporters write 0 for "none".</summary>
    public double? OptionalFactor(string field) => Find(field) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var number) && number == 0 ? null : OptionalPositiveNumber(field);

    public bool Flag(string field, bool otherwise) => Find(field) is not { } value ? otherwise : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Bad(field, $"must be true or false, not {value.GetRawText()}"),
    };

    public string? OptionalText(string field) => Find(field) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw Bad(field, $"must be a string, not {value.GetRawText()}");

    public IReadOnlyList<string> Texts(string field)
    {
        if (Find(field) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String)) throw Bad(field, "must be a list of strings");
        return [.. value.EnumerateArray().Select(item => item.GetString()!)];
    }

    /// <summary>Token ids given as one integer, a list or nothing.</summary>
    public IReadOnlyList<int> Ids(string field)
    {
        if (Find(field) is not { } value) return [];
        var items = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToArray() : [value];
        var ids = new int[items.Length];
        for (var i = 0; i < ids.Length; i++)
            if (items[i].ValueKind != JsonValueKind.Number || !items[i].TryGetInt32(out ids[i]) || ids[i] < 0) throw Bad(field, $"must be a token id or a list of them, not {value.GetRawText()}");
        return ids;
    }

    public ConfigSection? OptionalSection(string field) => Find(field) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? new ConfigSection(value, $"{Path}: {field}")
        : throw Bad(field, "must be an object");

    /// <summary>Whether some field is an object itself.</summary>
    public bool HasSections => json.EnumerateObject().Any(entry => entry.Value.ValueKind == JsonValueKind.Object);

    private JsonElement? Find(string field) => json.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
