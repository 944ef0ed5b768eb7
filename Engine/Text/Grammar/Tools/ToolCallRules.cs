using NanoAspire.Engine.Text.Grammar.Automata;
using NanoAspire.Engine.Text.Grammar.Schemas;

namespace NanoAspire.Engine.Text.Grammar.Tools;

/// <summary>Answers that call functions, in a model family's own syntax, with arguments after their schemas.</summary>
internal sealed class ToolCallRules(GrammarBuilder builder, JsonRules json, CallSyntax syntax)
{
    /// <summary>Parallel calls in one answer.</summary>
    public const int MaxCalls = 32;
    public const int MaxFunctions = 256;

    /// <param name="functions">Those that may be called.</param>
    /// <param name="parallel">More than one call may follow.</param>
    /// <param name="from">Where the first call begins.</param>
    /// <param name="to">After the last one.</param>
    public void Emit(IReadOnlyList<ToolFunction> functions, bool parallel, GrammarState from, GrammarState to)
    {
        if (functions.Count is 0 or > MaxFunctions) throw new GrammarException(null, $"there must be between 1 and {MaxFunctions} functions");
        var call = builder.Rule();
        var name = builder.Marked(call.Start, syntax.BeforeName);
        for (var i = 0; i < functions.Count; i++) EmitFunction(functions[i], $"$.tools[{i}]", name, call.End);

        var first = builder.Call(builder.Marked(from, syntax.Begin), call);
        var last = builder.State();
        GrammarBuilder.Skip(first, last);
        if (parallel)
        {
            var another = builder.Rule();
            GrammarBuilder.Call(builder.Marked(another.Start, syntax.Separator), call, another.End);
            GrammarBuilder.Loop(first, another, 1, MaxCalls - 1, last);
        }
        GrammarBuilder.Skip(builder.Marked(last, syntax.End), to);
    }

    private void EmitFunction(ToolFunction function, string path, GrammarState from, GrammarState to)
    {
        if (!IsName(function.Name)) throw new GrammarException(path, $"the name '{function.Name}' is not one of letters, digits, '_', '.', '-'");
        var arguments = builder.Rule();
        try
        {
            if (function.Parameters is not { } schema) EmitAny(arguments);
            else if (syntax.Markup is { } markup) new MarkupRules(builder, json, markup).Emit(schema, arguments);
            else GrammarBuilder.Call(arguments.Start, new SchemaCompiler(builder, json, schema, SchemaTypes.Object).Compile(), arguments.End);
        }
        catch (GrammarException) when (!function.Strict)
        {
            arguments = builder.Rule();                   // nobody asked for the schema to hold
            EmitAny(arguments);
        }
        catch (GrammarException e)
        {
            throw new GrammarException($"{path}.function.parameters{e.Path?[1..]}", e.Reason);
        }
        var named = builder.Text(from, function.Name);
        if (syntax.Numbered) named = Number(builder.Text(named, ":"));
        GrammarBuilder.Skip(builder.Marked(builder.Call(builder.Marked(named, syntax.AfterName), arguments), syntax.AfterArguments), to);
    }

    private void EmitAny(GrammarRule arguments)
    {
        if (syntax.Markup is { } markup) new MarkupRules(builder, json, markup).EmitAny(arguments);
        else GrammarBuilder.Call(arguments.Start, json.Object, arguments.End);
    }

    private GrammarState Number(GrammarState from)
    {
        var to = builder.State();
        new NumberRules(builder).Integers(new(0, false), new(9999, false), from, to);
        return to;
    }

    private static bool IsName(string name) => name.Length is > 0 and <= 128 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');
}
