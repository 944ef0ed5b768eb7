using System.Text.Json;
using NanoAspire.Engine.Text.Grammar.Automata;
using NanoAspire.Engine.Text.Grammar.Patterns;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>
/// Objects: declared properties in their declared order, optional ones or not, then others where the schema has
/// <c>additionalProperties</c>. A schema with <c>properties</c> that says nothing about others gets none.
/// </summary>
internal sealed class ObjectRules(GrammarBuilder builder, JsonRules json, Func<IReadOnlyList<SchemaRef>, GrammarRule> ruleOf)
{
    public const int MaxProperties = 2000;

    public GrammarRule RuleOf(SchemaNode node)
    {
        if (node is { ObjectParts.Count: 0, Required.Count: 0 }) return json.Object;
        var rule = builder.Rule(nests: true);
        var names = Names(node);

        // Two rows of states: nothing written yet, and something written (a comma comes first).
        var empty = json.Space(builder.Text(rule.Start, "{"));
        var written = builder.State();
        foreach (var name in names)
        {
            var (nextEmpty, nextWritten) = (builder.State(), builder.State());
            if (Parts(node, name) is { } parts)
            {
                var key = KeyState(empty, written);
                GrammarBuilder.Call(json.Colon(builder.Text(key, JsonText.Quote(name))), ruleOf(parts), nextWritten);
            }
            if (!node.Required.Contains(name))
            {
                GrammarBuilder.Skip(empty, nextEmpty);
                GrammarBuilder.Skip(written, nextWritten);
            }
            (empty, written) = (nextEmpty, nextWritten);
        }
        if (Others(node) is { } others)
        {
            var key = KeyState(empty, written);
            GrammarBuilder.Call(json.Colon(OtherName(key, names)), ruleOf(others), written);
        }
        GrammarBuilder.Bytes(empty, ByteSet.Of((byte)'}'), rule.End);
        GrammarBuilder.Bytes(json.Space(written), ByteSet.Of((byte)'}'), rule.End);
        return rule;
    }

    /// <summary>Declared or required properties, in that order.</summary>
    public static string[] Names(SchemaNode node)
    {
        var names = node.ObjectParts.SelectMany(PropertyNames).Concat(node.Required).Distinct(StringComparer.Ordinal).ToArray();
        return names.Length <= MaxProperties ? names : throw new GrammarException(node.Path, $"an object has more than {MaxProperties} properties");
    }

    private GrammarState KeyState(GrammarState empty, GrammarState written)
    {
        var key = builder.State();
        GrammarBuilder.Skip(empty, key);
        GrammarBuilder.Skip(json.Space(builder.Text(written, ",")), key);
        return key;
    }

    /// <summary>What all schemas say about a property; null when one of them forbids it.</summary>
    public static List<SchemaRef>? Parts(SchemaNode node, string name)
    {
        var parts = new List<SchemaRef>();
        foreach (var part in node.ObjectParts)
        {
            if (part.Value.TryGetProperty("properties", out var properties) && properties.TryGetProperty(name, out var declared)) parts.Add(part.Member($"properties.{name}", declared));
            else if (part.Value.TryGetProperty("additionalProperties", out var rest))
            {
                if (rest.ValueKind == JsonValueKind.False) return null;
                parts.Add(part.Member("additionalProperties", rest));
            }
        }
        if (parts.Count == 0) parts.Add(new(True, "true"));
        return parts;
    }

    /// <summary>What all schemas say about undeclared properties; null when there are to be none.</summary>
    private static List<SchemaRef>? Others(SchemaNode node)
    {
        var parts = new List<SchemaRef>();
        foreach (var part in node.ObjectParts)
        {
            if (!part.Value.TryGetProperty("additionalProperties", out var rest)) continue;
            if (rest.ValueKind == JsonValueKind.False) return null;
            parts.Add(part.Member("additionalProperties", rest));
        }
        if (parts.Count > 0) return parts;
        return node.ObjectParts.Count == 0 ? [new(True, "true")] : null;
    }

    private static readonly JsonElement True = JsonDocument.Parse("true").RootElement;

    private static IEnumerable<string> PropertyNames(SchemaRef part)
    {
        if (!part.Value.TryGetProperty("properties", out var properties)) return [];
        if (properties.ValueKind != JsonValueKind.Object) throw new GrammarException(part.Path, "'properties' must be an object");
        return properties.EnumerateObject().Select(property => property.Name);
    }

    /// <summary>A name that is none of <paramref name="names"/>: without escapes, so that it can be told from them character by character.</summary>
    private GrammarState OtherName(GrammarState from, string[] names)
    {
        var (end, free) = (builder.State(), builder.State());
        JsonText.Plain.Emit(builder, free, free);
        GrammarBuilder.Bytes(free, ByteSet.Of((byte)'"'), end);

        var root = new NameNode();
        foreach (var name in names) root.Add(name);
        Emit(root, builder.Text(from, "\""));
        return end;

        void Emit(NameNode node, GrammarState at)
        {
            if (!node.IsName) GrammarBuilder.Bytes(at, ByteSet.Of((byte)'"'), end);
            JsonText.Plain.Except(CodePoints.Of(node.Next.Keys.Select(point => (point, point)))).Emit(builder, at, free);
            foreach (var (point, next) in node.Next)
            {
                var set = CodePoints.One(point).Intersect(JsonText.Plain);
                if (set.IsEmpty) continue;
                var after = builder.State();
                set.Emit(builder, at, after);
                Emit(next, after);
            }
        }
    }

    private sealed class NameNode
    {
        public SortedDictionary<int, NameNode> Next { get; } = [];
        public bool IsName { get; private set; }

        public void Add(string name)
        {
            var node = this;
            foreach (var rune in name.EnumerateRunes())
            {
                if (!node.Next.TryGetValue(rune.Value, out var next)) node.Next[rune.Value] = next = new();
                node = next;
            }
            node.IsName = true;
        }
    }
}
