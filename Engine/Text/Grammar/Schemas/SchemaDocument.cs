using System.Globalization;
using System.Text.Json;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>A schema document within bounds, whose references can be followed.</summary>
internal sealed class SchemaDocument
{
    public const int MaxValues = 50_000, MaxDepth = 64, MaxBytes = 512 << 10, MaxName = 1000;

    private readonly JsonElement _root;
    private int _values;

    /// <exception cref="GrammarException">Too large, too deep, or with text that is no Unicode.</exception>
    public SchemaDocument(JsonElement root)
    {
        _root = root;
        Measure(root, "$", 0);
        if (root.GetRawText().Length > MaxBytes) throw new GrammarException("$", $"the schema is larger than {MaxBytes} bytes");
    }

    public SchemaRef Root => new(_root, "$");

    /// <summary>Where a <c>$ref</c> leads: a JSON pointer in this document.</summary>
    public SchemaRef Resolve(JsonElement reference, string path)
    {
        if (reference.ValueKind != JsonValueKind.String) throw new GrammarException(path, "'$ref' must be a string");
        var text = reference.GetString()!;
        if (text is not ("#" or ['#', '/', ..])) throw new GrammarException(path, $"'$ref' to '{text}' is not supported: only references into the same schema are");
        var target = new SchemaRef(_root, "$");
        foreach (var part in text.Split('/').Skip(1))
        {
            var name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (target.Value.ValueKind == JsonValueKind.Object && target.Value.TryGetProperty(name, out var member)) target = target.Member(name, member);
            else if (target.Value.ValueKind == JsonValueKind.Array && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < target.Value.GetArrayLength())
                target = new(target.Value[index], $"{target.Path}[{index}]");
            else throw new GrammarException(path, $"'$ref' to '{text}' leads nowhere");
        }
        return target;
    }

    private void Measure(JsonElement value, string path, int depth)
    {
        if (depth > MaxDepth) throw new GrammarException(path, $"the schema is deeper than {MaxDepth} levels");
        if (++_values > MaxValues) throw new GrammarException(path, $"the schema has more than {MaxValues} values");
        try
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var member in value.EnumerateObject())
                    {
                        if (member.Name.Length > MaxName) throw new GrammarException(path, $"a name is longer than {MaxName} characters");
                        Measure(member.Value, $"{path}.{member.Name}", depth + 1);
                    }
                    break;
                case JsonValueKind.Array:
                    var index = 0;
                    foreach (var element in value.EnumerateArray()) Measure(element, $"{path}[{index++}]", depth + 1);
                    break;
                case JsonValueKind.String:
                    _ = value.GetString();
                    break;
            }
        }
        catch (InvalidOperationException)                  // how the reader reports half a surrogate pair
        {
            throw new GrammarException(path, "the schema has text that is not valid Unicode");
        }
    }
}
