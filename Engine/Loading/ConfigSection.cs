using System.Text.Json;

namespace NanoAspire.Engine.Loading;

/// <summary>Reads one JSON object of a configuration; every error names the file and the field. Null is like absent, but for <see cref="IsNull"/>.</summary>
internal sealed class ConfigSection(JsonElement json, string path)
{
    private const int ShownLength = 100;

    public string Path { get; } = path;

    /// <summary>False when absent or null.</summary>
    public bool Has(string field) => Find(field) is not null;

    /// <summary>There, and null.</summary>
    public bool IsNull(string field) => json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Null;

    public ModelLoadException Bad(string field, string why) => new($"{Path}: {field} {why}");

    /// <param name="field">Its name.</param>
    /// <param name="max">More is refused.</param>
    /// <param name="otherwise">When absent; null: it must be there.</param>
    public int PositiveInt(string field, int max = ConfigLimits.Count, int? otherwise = null) => OptionalPositiveInt(field, max) ?? otherwise ?? throw Missing(field);

    public int? OptionalPositiveInt(string field, int max = ConfigLimits.Count) => Integer(field, 1, max, "a positive integer");

    /// <summary>0 or more, with the parameters of <see cref="PositiveInt"/>.</summary>
    public int Count(string field, int max = ConfigLimits.Count, int? otherwise = null) => OptionalCount(field, max) ?? otherwise ?? throw Missing(field);

    /// <summary>0 or more; null when absent.</summary>
    public int? OptionalCount(string field, int max = ConfigLimits.Count) => Integer(field, 0, max, "an integer that is not negative");

    /// <summary>A list of integers that are not negative; empty when absent.</summary>
    public IReadOnlyList<int> Counts(string field, int max = ConfigLimits.Count)
    {
        if (Find(field) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array) throw Bad(field, $"must be a list of integers, not {Shown(value)}");
        CheckLength(field, value);
        var numbers = new List<int>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var number) || number < 0) throw Bad(field, $"must be a list of integers that are not negative, not {Shown(value)}");
            numbers.Add(number <= max ? (int)number : throw Bad(field, $"holds {number}, which is more than {max}"));
        }
        return numbers;
    }

    /// <param name="field">Its name.</param>
    /// <param name="max">More is refused.</param>
    /// <param name="otherwise">When absent; null: it must be there.</param>
    public double PositiveNumber(string field, double max = ConfigLimits.Number, double? otherwise = null) => OptionalPositiveNumber(field, max) ?? otherwise ?? throw Missing(field);

    /// <summary>One that is positive as a float32 too.</summary>
    public double? OptionalPositiveNumber(string field, double max = ConfigLimits.Number)
    {
        if (Find(field) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number) || !(number > 0) || !double.IsFinite(number)) throw Bad(field, $"must be a positive number, not {Shown(value)}");
        if (number < ConfigLimits.SmallestNumber) throw Bad(field, $"({number}) is less than {ConfigLimits.SmallestNumber}");
        return number <= max ? number : throw Bad(field, $"({number}) is more than {max}");
    }

    /// <summary>A positive number; zero, like absence, is null: exporters write 0 for "none".</summary>
    public double? OptionalFactor(string field) =>
        Find(field) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var number) && number == 0 ? null : OptionalPositiveNumber(field, ConfigLimits.Factor);

    public bool Flag(string field, bool otherwise) => Find(field) is not { } value ? otherwise : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Bad(field, $"must be true or false, not {Shown(value)}"),
    };

    public string? OptionalText(string field) => Find(field) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw Bad(field, $"must be a string, not {Shown(value)}");

    public IReadOnlyList<string> Texts(string field)
    {
        if (Find(field) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String)) throw Bad(field, $"must be a list of strings, not {Shown(value)}");
        CheckLength(field, value);
        return [.. value.EnumerateArray().Select(item => item.GetString()!)];
    }

    /// <summary>Token ids below <paramref name="limit"/>, given as one integer, a list or nothing.</summary>
    public IReadOnlyList<int> Ids(string field, int limit)
    {
        if (Find(field) is not { } value) return [];
        if (value.ValueKind == JsonValueKind.Array) CheckLength(field, value);
        var items = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToArray() : [value];
        var ids = new int[items.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            if (items[i].ValueKind != JsonValueKind.Number || !items[i].TryGetInt64(out var id) || id < 0) throw Bad(field, $"must be a token id or a list of them, not {Shown(value)}");
            ids[i] = id < limit ? (int)id : throw Bad(field, $"{id} is not in the vocabulary of {limit}");
        }
        return ids;
    }

    public ConfigSection? OptionalSection(string field) => Find(field) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? new ConfigSection(value, $"{Path}: {field}")
        : throw Bad(field, $"must be an object, not {Shown(value)}");

    /// <summary>Whether some field is an object itself.</summary>
    public bool HasSections => json.EnumerateObject().Any(entry => entry.Value.ValueKind == JsonValueKind.Object);

    /// <summary>Fields that are not null, the last of each name.</summary>
    public IReadOnlyDictionary<string, JsonElement> Fields =>
        json.EnumerateObject().Where(entry => entry.Value.ValueKind != JsonValueKind.Null).GroupBy(entry => entry.Name, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last().Value, StringComparer.Ordinal);

    private int? Integer(string field, int min, int max, string kind)
    {
        if (Find(field) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number) || number < min) throw Bad(field, $"must be {kind}, not {Shown(value)}");
        return number <= max ? (int)number : throw Bad(field, $"({number}) is more than {max}");
    }

    private void CheckLength(string field, JsonElement list)
    {
        if (list.GetArrayLength() > ConfigLimits.Entries) throw Bad(field, $"has {list.GetArrayLength()} entries, more than {ConfigLimits.Entries}");
    }

    private ModelLoadException Missing(string field) => Bad(field, "is missing");

    private static string Shown(JsonElement value) => OneLine.Of(value.GetRawText(), ShownLength);

    private JsonElement? Find(string field) => json.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
