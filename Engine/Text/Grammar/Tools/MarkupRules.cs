using System.Buffers;
using System.Text.Json;
using NanoAspire.Engine.Text.Grammar.Automata;
using NanoAspire.Engine.Text.Grammar.Patterns;
using NanoAspire.Engine.Text.Grammar.Schemas;

namespace NanoAspire.Engine.Text.Grammar.Tools;

/// <summary>
/// Arguments between tags. A parameter whose declaration says "string" (alone or among others) is bare text, any other is JSON:
/// just as a reader of such calls decides it from the declaration. Undeclared parameters are not written.
/// </summary>
internal sealed class MarkupRules(GrammarBuilder builder, JsonRules json, MarkupArguments markup)
{
    private static readonly SearchValues<char> Unwritable = SearchValues.Create("<>\"\n\r:/=");

    public void Emit(JsonElement schema, GrammarRule rule)
    {
        var compiler = new SchemaCompiler(builder, json, schema, SchemaTypes.Object);
        var options = compiler.Alternatives([compiler.Root]);
        if (options is not [var node]) throw new GrammarException("$", "alternatives of whole argument objects are not supported in this model's call syntax");
        var at = rule.Start;
        foreach (var name in ObjectRules.Names(node))
        {
            if (name.AsSpan().ContainsAny(Unwritable) || name.Length is 0 or > 128) throw new GrammarException(node.Path, $"the parameter name '{name}' cannot be written in this model's call syntax");
            var next = builder.State();
            if (ObjectRules.Parts(node, name) is { } parts) EmitParameter(compiler, name, parts, at, next);
            if (!node.Required.Contains(name)) GrammarBuilder.Skip(at, next);
            at = next;
        }
        GrammarBuilder.Skip(at, rule.End);
        compiler.Finish();
    }

    /// <summary>Parameters of any name, as text or JSON.</summary>
    public void EmitAny(GrammarRule rule)
    {
        var (name, end) = (builder.State(), builder.State());
        new RegexRules(builder, (from, set, to) => set.Emit(builder, from, to)).Emit(RegexParser.Parse("[A-Za-z_][A-Za-z0-9_]{0,63}", search: false), builder.Marked(rule.Start, markup.Open), name);
        var text = builder.State();
        FreeText.Emit(builder, markup.Forbidden, [], builder.Marked(name, markup.ThenText), text);
        GrammarBuilder.Skip(builder.Marked(text, markup.Close), end);
        GrammarBuilder.Skip(end, rule.Start);
        GrammarBuilder.Skip(end, rule.End);
        GrammarBuilder.Skip(rule.Start, rule.End);
    }

    private void EmitParameter(SchemaCompiler compiler, string name, List<SchemaRef> parts, GrammarState from, GrammarState to)
    {
        var key = builder.Text(builder.Marked(from, markup.Open), name);
        var end = builder.State();
        GrammarBuilder.Skip(builder.Marked(end, markup.Close), to);
        var declared = parts.Find(part => part.Path.EndsWith($".{name}", StringComparison.Ordinal));
        var isText = declared.Path is null ? markup.UndeclaredAreText : SaysString(declared.Value);
        if (!isText)
        {
            GrammarBuilder.Call(builder.Marked(key, markup.ThenJson), compiler.RuleOf(parts), end);
            return;
        }
        foreach (var option in compiler.Alternatives(parts))
        {
            if (option.Types.HasFlag(SchemaTypes.String)) EmitText(option, builder.Marked(key, markup.ThenText), end);
            if (option.Types == SchemaTypes.String) continue;
            var rest = builder.Rule();
            compiler.Emit(option.Without(SchemaTypes.String), rest);
            GrammarBuilder.Call(builder.Marked(key, markup.ThenJson), rest, end);
        }
    }

    private void EmitText(SchemaNode node, GrammarState from, GrammarState to)
    {
        if (node.IsNever) return;
        if (node.Enum is not null)
        {
            builder.AnyOf(from, node.Enum.Where(value => value.ValueKind == JsonValueKind.String).Select(value => System.Text.Encoding.UTF8.GetBytes(value.GetString()!)), to);
            return;
        }
        if (ValueRules.Expression(node) is { } expression)
        {
            var rules = new RegexRules(builder, (at, set, next) => set.Emit(builder, at, next));
            if (node.MinLength > 0 || node.MaxLength is not null) rules.EmitBounded(expression, node.MinLength, node.MaxLength, from, to);
            else rules.Emit(expression, from, to);
            return;
        }
        if (node.MinLength > 0 || node.MaxLength is not null)
        {
            // A closing tag begins with '<': without that character no bounded text can hold one.
            var character = builder.Rule();
            CodePoints.One('<').Complement().Emit(builder, character.Start, character.End);
            var text = builder.Rule();
            GrammarBuilder.Loop(text.Start, character, node.MinLength, node.MaxLength ?? int.MaxValue, text.End);
            GrammarBuilder.Call(from, text, to);
            return;
        }
        FreeText.Emit(builder, markup.Forbidden, [], from, to);
    }

    /// <summary>Whether the declaration, read without following references, names strings.</summary>
    private static bool SaysString(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object) return false;
        if (schema.TryGetProperty("type", out var type))
            return type.ValueKind == JsonValueKind.String ? type.ValueEquals("string") : type.ValueKind == JsonValueKind.Array && type.EnumerateArray().Any(name => name.ValueKind == JsonValueKind.String && name.ValueEquals("string"));
        foreach (var union in (string[])["anyOf", "oneOf"])
        {
            if (schema.TryGetProperty(union, out var options) && options.ValueKind == JsonValueKind.Array) return options.EnumerateArray().Any(SaysString);
        }
        return schema.TryGetProperty("enum", out var values) && values.ValueKind == JsonValueKind.Array && values.EnumerateArray().All(value => value.ValueKind == JsonValueKind.String);
    }
}
