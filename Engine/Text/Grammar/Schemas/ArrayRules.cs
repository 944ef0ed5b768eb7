using System.Text.Json;
using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>Arrays: elements by place first (<c>prefixItems</c>), then the rest, counted.</summary>
internal sealed class ArrayRules(GrammarBuilder builder, JsonRules json, Func<IReadOnlyList<SchemaRef>, GrammarRule> ruleOf)
{
    public GrammarRule RuleOf(SchemaNode node)
    {
        if (node is { ArrayParts.Count: 0, MinItems: 0, MaxItems: null }) return json.Array;
        var rule = builder.Rule(nests: true);
        var places = node.ArrayParts.Max(part => Prefix(part).Length as int?) ?? 0;
        var closed = node.ArrayParts.Where(part => part.Value.TryGetProperty("items", out var rest) && rest.ValueKind == JsonValueKind.False).Select(part => (int?)Prefix(part).Length).Min();
        var most = Math.Min(node.MaxItems ?? int.MaxValue, closed ?? int.MaxValue);
        if (most < node.MinItems) return rule;             // nothing leads to its end

        var before = json.Space(builder.Text(rule.Start, "["));
        var written = builder.State();
        GrammarBuilder.Bytes(json.Space(written), ByteSet.Of((byte)']'), rule.End);
        if (node.MinItems == 0) GrammarBuilder.Bytes(before, ByteSet.Of((byte)']'), rule.End);

        var at = before;
        var place = 0;
        for (; place < Math.Min(places, most); place++)
        {
            at = builder.Call(place == 0 ? at : Comma(at), ruleOf(Parts(node, place)));
            if (place + 1 >= node.MinItems) GrammarBuilder.Skip(at, written);
        }
        if (place == most) return rule;

        var element = ruleOf(Parts(node, places));
        if (place == 0)
        {
            at = builder.Call(at, element);
            place++;
        }
        var more = builder.Rule();
        GrammarBuilder.Call(Comma(more.Start), element, more.End);
        GrammarBuilder.Loop(at, more, Math.Max(0, node.MinItems - place), most == int.MaxValue ? most : most - place, written);
        return rule;
    }

    private GrammarState Comma(GrammarState from) => json.Space(builder.Text(from, ","));

    /// <summary>What all schemas say about the element at a place.</summary>
    private static List<SchemaRef> Parts(SchemaNode node, int place)
    {
        var parts = new List<SchemaRef>();
        foreach (var part in node.ArrayParts)
        {
            var prefix = Prefix(part);
            if (place < prefix.Length) parts.Add(prefix[place]);
            else if (part.Value.TryGetProperty("items", out var rest)) parts.Add(part.Member("items", rest));
        }
        if (parts.Count == 0) parts.Add(Anything);
        return parts;
    }

    private static readonly SchemaRef Anything = new(JsonDocument.Parse("true").RootElement, "true");

    private static SchemaRef[] Prefix(SchemaRef part)
    {
        if (!part.Value.TryGetProperty("prefixItems", out var prefix)) return [];
        if (prefix.ValueKind != JsonValueKind.Array) throw new GrammarException(part.Path, "'prefixItems' must be a list of schemas");
        return [.. prefix.EnumerateArray().Select((schema, index) => part.Element("prefixItems", index, schema))];
    }
}
