using System.Text.Json;
using NanoAspire.Engine.Text.Grammar.Automata;
using NanoAspire.Engine.Text.Grammar.Patterns;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>Values of one merged schema, type by type.</summary>
/// <param name="builder">Where states are made.</param>
/// <param name="json">Plain JSON.</param>
/// <param name="ruleOf">The rule of values that satisfy all of some schemas.</param>
internal sealed class ValueRules(GrammarBuilder builder, JsonRules json, Func<IReadOnlyList<SchemaRef>, GrammarRule> ruleOf)
{
    private readonly ObjectRules _objects = new(builder, json, ruleOf);
    private readonly ArrayRules _arrays = new(builder, json, ruleOf);
    private readonly NumberRules _numbers = new(builder);

    public void Emit(SchemaNode node, GrammarRule rule)
    {
        var (from, to) = (rule.Start, rule.End);
        if (node.IsNever) return;
        if (node.Enum is not null) EmitConstants(node, from, to);
        else if (node.IsAny) GrammarBuilder.Call(from, json.Value, to);
        else
        {
            if (node.Types.HasFlag(SchemaTypes.Null)) GrammarBuilder.Skip(builder.Text(from, "null"), to);
            if (node.Types.HasFlag(SchemaTypes.Boolean)) builder.AnyOf(from, ["true"u8.ToArray(), "false"u8.ToArray()], to);
            if (node.Types.HasFlag(SchemaTypes.String)) EmitString(node, from, to);
            if (node.Types.HasFlag(SchemaTypes.Number)) EmitNumber(node, from, to);
            else if (node.Types.HasFlag(SchemaTypes.Integer)) EmitInteger(node, from, to);
            if (node.Types.HasFlag(SchemaTypes.Array)) GrammarBuilder.Call(from, _arrays.RuleOf(node), to);
            if (node.Types.HasFlag(SchemaTypes.Object)) GrammarBuilder.Call(from, _objects.RuleOf(node), to);
        }
    }

    public static SchemaTypes TypesOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => SchemaTypes.Null,
        JsonValueKind.True or JsonValueKind.False => SchemaTypes.Boolean,
        JsonValueKind.String => SchemaTypes.String,
        JsonValueKind.Number => value.TryGetDecimal(out var number) && number == Math.Truncate(number) ? SchemaTypes.Integer | SchemaTypes.Number : SchemaTypes.Number,
        JsonValueKind.Array => SchemaTypes.Array,
        _ => SchemaTypes.Object,
    };

    /// <summary>What the characters of a string must match; null for any.</summary>
    public static RegexNode? Expression(SchemaNode node)
    {
        if (node.Patterns.Count == 0) return null;
        var (pattern, search, path) = node.Patterns[0];
        if (node.Patterns.Count > 1) throw new GrammarException(node.Patterns[1].Path, "more than one 'pattern' or 'format' for the same string is not supported");
        try { return RegexParser.Parse(pattern, search); }
        catch (FormatException e) { throw new GrammarException(path, $"the expression {e.Message}"); }
    }

    private void EmitConstants(SchemaNode node, GrammarState from, GrammarState to)
    {
        if (node is not { Required.Count: 0, ObjectParts.Count: 0, ArrayParts.Count: 0, MinItems: 0, MaxItems: null, MinLength: 0, MaxLength: null, Patterns.Count: 0, Minimum: null, Maximum: null })
            throw new GrammarException(node.Path, "'enum' and 'const' beside keywords other than 'type' are not supported");
        var allowed = node.Enum!.FindAll(value => (TypesOf(value) & node.Types) != 0);
        builder.AnyOf(from, allowed.Where(value => value.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object)).Select(Scalar), to);
        foreach (var value in allowed.Where(value => value.ValueKind is JsonValueKind.Array or JsonValueKind.Object)) GrammarBuilder.Skip(Constant(from, value), to);
    }

    private GrammarState Constant(GrammarState from, JsonElement value)
    {
        if (value.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object)) return builder.Text(from, Scalar(value));
        var isObject = value.ValueKind == JsonValueKind.Object;
        var at = json.Space(builder.Text(from, isObject ? "{" : "["));
        var first = true;
        foreach (var (name, part) in isObject ? value.EnumerateObject().Select(member => ((string?)member.Name, member.Value)) : value.EnumerateArray().Select(element => ((string?)null, element)))
        {
            if (!first) at = json.Space(builder.Text(at, ","));
            if (name is not null) at = json.Colon(builder.Text(at, JsonText.Quote(name)));
            at = Constant(at, part);
            first = false;
        }
        return builder.Text(first ? at : json.Space(at), isObject ? "}" : "]");
    }

    private static byte[] Scalar(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? JsonText.Quote(value.GetString()!) : System.Text.Encoding.UTF8.GetBytes(value.GetRawText());

    private void EmitInteger(SchemaNode node, GrammarState from, GrammarState to)
    {
        if (node.Minimum is null && node.Maximum is null) GrammarBuilder.Call(from, json.Integer, to);
        else _numbers.Integers(node.Minimum, node.Maximum, from, to);
    }

    private void EmitNumber(SchemaNode node, GrammarState from, GrammarState to)
    {
        if (node.Minimum is null && node.Maximum is null) GrammarBuilder.Call(from, json.Number, to);
        else _numbers.Numbers(node.Minimum, node.Maximum, from, to);
    }

    private void EmitString(SchemaNode node, GrammarState from, GrammarState to)
    {
        var bounded = node.MinLength > 0 || node.MaxLength is not null;
        if (Expression(node) is { } expression)
        {
            json.Quoted(from, to, body =>
            {
                var end = builder.State();
                var rules = new RegexRules(builder, (at, set, next) => JsonText.Write(builder, at, set, next));
                if (bounded) rules.EmitBounded(expression, node.MinLength, node.MaxLength, body, end);
                else rules.Emit(expression, body, end);
                return end;
            });
        }
        else if (bounded)
        {
            var rule = builder.Rule();                     // of its own, so that masks see counters apart from what surrounds the string
            json.Quoted(rule.Start, rule.End, body =>
            {
                var end = builder.State();
                GrammarBuilder.Loop(body, json.OneCharacter, node.MinLength, node.MaxLength ?? int.MaxValue, end);
                return end;
            });
            GrammarBuilder.Call(from, rule, to);
        }
        else GrammarBuilder.Call(from, json.String, to);
    }
}
