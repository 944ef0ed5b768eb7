using System.Text.Json;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>
/// <c>oneOf</c> is compiled as <c>anyOf</c>, which is right only when no value satisfies two of its schemas. Tells when that is certain:
/// other types, other constants, a required property with other constants, or one that the other schema does not have.
/// </summary>
internal sealed class Overlap(SchemaDocument document)
{
    private const int MaxDepth = 8;

    /// <exception cref="GrammarException">Two options may overlap.</exception>
    public void Check(SchemaRef[] options, string path)
    {
        var shapes = options.Select(option => Of(option, 0)).ToArray();
        for (var i = 0; i < shapes.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (!AreDisjoint(shapes[i], shapes[j])) throw new GrammarException(path, $"'oneOf' is supported for schemas that exclude each other; {j} and {i} may overlap (use 'anyOf', or tell them apart by a required constant)");
            }
        }
    }

    /// <summary>What is certain about a schema's values. A null is "not known".</summary>
    private sealed record Shape(SchemaTypes Types, List<JsonElement>? Constants, Dictionary<string, Shape> Required, HashSet<string>? AllowedNames);

    private static bool AreDisjoint(Shape x, Shape y)
    {
        if ((x.Types & y.Types) == 0) return true;
        if (x.Constants is not null && y.Constants is not null) return !x.Constants.Exists(value => y.Constants.Exists(other => JsonElement.DeepEquals(value, other)));
        if ((x.Types & y.Types) != SchemaTypes.Object) return false;
        return x.Required.Any(member => y.Required.TryGetValue(member.Key, out var other) && AreDisjoint(member.Value, other))
            || x.Required.Keys.Any(name => y.AllowedNames?.Contains(name) == false)
            || y.Required.Keys.Any(name => x.AllowedNames?.Contains(name) == false);
    }

    private Shape Of(SchemaRef schema, int depth)
    {
        for (var hops = 0; hops < MaxDepth && schema.Value.ValueKind == JsonValueKind.Object && schema.Value.TryGetProperty("$ref", out var target); hops++) schema = document.Resolve(target, schema.Path);
        var unknown = new Shape(SchemaTypes.All, null, [], null);
        if (schema.Value.ValueKind != JsonValueKind.Object || depth > MaxDepth) return unknown;

        var types = SchemaTypes.All;
        List<JsonElement>? constants = null;
        if (schema.Value.TryGetProperty("enum", out var list) && list.ValueKind == JsonValueKind.Array) constants = [.. list.EnumerateArray()];
        if (schema.Value.TryGetProperty("const", out var only)) constants = [only];
        if (constants is not null) types = constants.Aggregate(SchemaTypes.None, (all, value) => all | ValueRules.TypesOf(value));
        else if (schema.Value.TryGetProperty("type", out _) || schema.Value.TryGetProperty("properties", out _))
        {
            var node = new SchemaNode();
            node.Add(schema with { Flat = true });
            types = node.Types;
        }
        return new(types, constants, RequiredOf(schema, depth), NamesOf(schema));
    }

    private Dictionary<string, Shape> RequiredOf(SchemaRef schema, int depth)
    {
        var members = new Dictionary<string, Shape>(StringComparer.Ordinal);
        if (!schema.Value.TryGetProperty("required", out var required) || required.ValueKind != JsonValueKind.Array) return members;
        schema.Value.TryGetProperty("properties", out var properties);
        foreach (var name in required.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!))
        {
            members[name] = properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(name, out var property)
                ? Of(schema.Member($"properties.{name}", property), depth + 1)
                : new(SchemaTypes.All, null, [], null);
        }
        return members;
    }

    private static HashSet<string>? NamesOf(SchemaRef schema)
    {
        if (!schema.Value.TryGetProperty("properties", out var properties) || properties.ValueKind != JsonValueKind.Object) return null;
        if (!schema.Value.TryGetProperty("additionalProperties", out var rest) || rest.ValueKind != JsonValueKind.False) return null;
        return [.. properties.EnumerateObject().Select(property => property.Name)];
    }
}
