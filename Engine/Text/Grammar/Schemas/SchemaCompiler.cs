using System.Text.Json;
using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>
/// JSON Schema as rules: the texts of a rule are values that the schema allows, written in the declared order of properties.
/// One rule for each set of schemas that must hold together, so that recursion through <c>$ref</c> is recursion of rules.
/// </summary>
internal sealed class SchemaCompiler
{
    private const int MaxRules = 20_000, MaxCombinations = 256, MaxReferences = 200;

    private readonly Dictionary<string, GrammarRule> _rules = new(StringComparer.Ordinal);
    private static readonly SchemaRef AnyObject = new(JsonDocument.Parse("""{"type":"object"}""").RootElement, "object");

    private readonly Queue<Action> _unfilled = new();
    private readonly SchemaDocument _document;
    private readonly GrammarBuilder _builder;
    private readonly ValueRules _values;
    private readonly SchemaTypes _rootTypes;

    /// <param name="builder">Where states are made.</param>
    /// <param name="json">Plain JSON.</param>
    /// <param name="schema">The document.</param>
    /// <param name="types">What the document's own values can be at all.</param>
    public SchemaCompiler(GrammarBuilder builder, JsonRules json, JsonElement schema, SchemaTypes types = SchemaTypes.All)
    {
        _builder = builder;
        _rootTypes = types;
        _document = new(schema);
        _values = new(builder, json, RuleOf);
    }

    /// <exception cref="GrammarException">The schema is malformed, unsupported or too large; the path says where.</exception>
    public GrammarRule Compile()
    {
        var root = RuleOf(_rootTypes == SchemaTypes.Object ? [Root, AnyObject] : [Root]);
        Finish();
        return root;
    }

    public SchemaRef Root => _document.Root;

    /// <summary>Fills the rules that were asked for since.</summary>
    public void Finish()
    {
        while (_unfilled.TryDequeue(out var fill)) fill();
    }

    /// <summary>The schemas as merged nodes, one for each way through their alternatives.</summary>
    public List<SchemaNode> Alternatives(IReadOnlyList<SchemaRef> schemas)
    {
        var found = new List<SchemaNode>();
        var open = new Queue<IReadOnlyList<SchemaRef>>([schemas]);
        while (open.TryDequeue(out var next))
        {
            var (flat, groups) = GatherAll(next);
            if (found.Count + open.Count > MaxCombinations) throw new GrammarException(schemas[0].Path, $"the alternatives make more than {MaxCombinations} combinations");
            if (groups.Count == 0) found.Add(Merge(flat));
            else foreach (var chosen in Combine(flat, groups)) open.Enqueue(chosen);
        }
        return found;
    }

    public void Emit(SchemaNode node, GrammarRule rule) => _values.Emit(node, rule);

    /// <summary>The rule of values that satisfy all of the schemas; its states come later, so that no chain of references is too long for the stack.</summary>
    public GrammarRule RuleOf(IReadOnlyList<SchemaRef> schemas)
    {
        var (flat, groups) = GatherAll(schemas);
        var key = string.Join('\n', flat.Select(schema => schema.Key).Concat(groups.Select(group => group.Path)).Order(StringComparer.Ordinal));
        if (_rules.TryGetValue(key, out var known)) return known;
        if (_rules.Count >= MaxRules) throw new GrammarException(schemas[0].Path, $"the schema needs more than {MaxRules} rules");
        var rule = _rules[key] = _builder.Rule();
        _unfilled.Enqueue(() =>
        {
            if (groups.Count == 0) _values.Emit(Merge(flat), rule);
            else EmitAlternatives(flat, groups, rule);
        });
        return rule;
    }

    private (List<SchemaRef> Flat, List<(string Path, bool Exclusive, SchemaRef[] Options)> Groups) GatherAll(IReadOnlyList<SchemaRef> schemas)
    {
        var flat = new List<SchemaRef>();
        var groups = new List<(string Path, bool Exclusive, SchemaRef[] Options)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var schema in schemas) Gather(schema, flat, groups, seen, 0);
        return (flat, groups);
    }

    /// <summary>Splits a schema into its own keywords, those it refers to, and the alternatives it leaves open.</summary>
    private void Gather(SchemaRef schema, List<SchemaRef> flat, List<(string, bool, SchemaRef[])> groups, HashSet<string> seen, int depth)
    {
        if (depth > MaxReferences) throw new GrammarException(schema.Path, $"a chain of '$ref' and 'allOf' is longer than {MaxReferences}");
        if (schema.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False)) throw new GrammarException(schema.Path, "a schema must be an object or a boolean");
        var own = schema with { Flat = true };
        if (!seen.Add(own.Key))
        {
            if (!schema.Flat) GatherParts();
            return;
        }
        if (schema.Value.ValueKind != JsonValueKind.True) flat.Add(own);
        if (!schema.Flat) GatherParts();

        void GatherParts()
        {
            if (schema.Value.ValueKind != JsonValueKind.Object || !seen.Add(schema.Key)) return;
            foreach (var member in schema.Value.EnumerateObject())
            {
                switch (member.Name)
                {
                    case "$ref":
                        Gather(_document.Resolve(member.Value, schema.Path), flat, groups, seen, depth + 1);
                        break;
                    case "allOf":
                        foreach (var part in Schemas(schema, member.Name, member.Value)) Gather(part, flat, groups, seen, depth + 1);
                        break;
                    case "anyOf" or "oneOf":
                        groups.Add(($"{schema.Path}.{member.Name}", member.Name == "oneOf", Schemas(schema, member.Name, member.Value)));
                        break;
                }
            }
        }
    }

    private void EmitAlternatives(List<SchemaRef> flat, List<(string Path, bool Exclusive, SchemaRef[] Options)> groups, GrammarRule rule)
    {
        foreach (var chosen in Combine(flat, groups)) GrammarBuilder.Call(rule.Start, RuleOf(chosen), rule.End);
    }

    private IEnumerable<IReadOnlyList<SchemaRef>> Combine(List<SchemaRef> flat, List<(string Path, bool Exclusive, SchemaRef[] Options)> groups)
    {
        _ = Merge(flat);                                   // an unsupported keyword beside the alternatives must not pass
        foreach (var (path, exclusive, options) in groups)
        {
            if (exclusive) new Overlap(_document).Check(options, path);
        }
        IEnumerable<IEnumerable<SchemaRef>> combinations = [[]];
        foreach (var (_, _, options) in groups) combinations = combinations.SelectMany(chosen => options.Select(option => chosen.Append(option)));
        var count = 0;
        foreach (var chosen in combinations)
        {
            if (++count > MaxCombinations) throw new GrammarException(groups[0].Path, $"the alternatives make more than {MaxCombinations} combinations");
            yield return [.. flat, .. chosen];
        }
    }

    private static SchemaNode Merge(List<SchemaRef> flat)
    {
        var node = new SchemaNode();
        foreach (var schema in flat) node.Add(schema);
        return node;
    }

    private static SchemaRef[] Schemas(SchemaRef parent, string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0) throw new GrammarException(parent.Path, $"'{name}' must be a list of schemas");
        return [.. value.EnumerateArray().Select((schema, index) => parent.Element(name, index, schema))];
    }
}
