using System.Text;
using NanoAspire.Engine.Text.Grammar.Automata;
using NanoAspire.Engine.Text.Grammar.Patterns;
using NanoAspire.Engine.Text.Grammar.Schemas;
using NanoAspire.Engine.Text.Grammar.Tools;

namespace NanoAspire.Engine.Text.Grammar;

/// <summary>Compiles constraints for a vocabulary.</summary>
public static class GrammarCompiler
{
    public const int MaxChoices = 10_000;

    /// <summary>Names of the known ways to write calls.</summary>
    public static IReadOnlyCollection<string> CallSyntaxes => CallSyntax.Names;

    /// <param name="constraint">What the output must look like.</param>
    /// <param name="vocabulary">Of the model that will write it.</param>
    /// <exception cref="GrammarException">Malformed, unsupported, unsatisfiable or too large.</exception>
    public static CompiledGrammar Compile(OutputConstraint constraint, GrammarVocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(constraint);
        ArgumentNullException.ThrowIfNull(vocabulary);
        var builder = new GrammarBuilder(vocabulary.Markers);
        var root = builder.Rule();
        Emit(constraint, builder, new(builder), vocabulary, root.Start, root.End);
        if (!builder.Seal(root)) throw new GrammarException("$", "no finite text satisfies the constraint");
        if (root.Start.Height > GrammarBuilder.MaxNesting) throw new GrammarException("$", $"every text that satisfies the constraint nests deeper than {GrammarBuilder.MaxNesting} levels");
        return new(new Automaton(builder.States, root), vocabulary);
    }

    private static void Emit(OutputConstraint constraint, GrammarBuilder builder, JsonRules json, GrammarVocabulary vocabulary, GrammarState from, GrammarState to)
    {
        switch (constraint)
        {
            case OutputConstraint.JsonObject:
                GrammarBuilder.Call(from, json.Object, to);
                break;
            case OutputConstraint.JsonSchema schema:
                GrammarBuilder.Call(from, new SchemaCompiler(builder, json, schema.Schema).Compile(), to);
                break;
            case OutputConstraint.Regex regex:
                new RegexRules(builder, (state, set, next) => set.Emit(builder, state, next)).Emit(ParseRegex(regex.Pattern), from, to);
                break;
            case OutputConstraint.Choice choice:
                if (choice.Options.Count is 0 or > MaxChoices) throw new GrammarException(null, $"there must be between 1 and {MaxChoices} choices");
                builder.AnyOf(from, choice.Options.Select(Encoding.UTF8.GetBytes), to);
                break;
            case OutputConstraint.ToolCalls calls:
                EmitCalls(calls, builder, json, vocabulary, from, to);
                break;
            case OutputConstraint.Either either:
                Emit(either.First, builder, json, vocabulary, from, to);
                Emit(either.Second, builder, json, vocabulary, from, to);
                break;
            case OutputConstraint.AfterThought thought:
                Emit(thought.Then, builder, json, vocabulary, Thought(thought.Open, builder, vocabulary, from), to);
                break;
            default:
                throw new ArgumentException("not a known constraint", nameof(constraint));
        }
    }

    private static void EmitCalls(OutputConstraint.ToolCalls calls, GrammarBuilder builder, JsonRules json, GrammarVocabulary vocabulary, GrammarState from, GrammarState to)
    {
        var syntax = CallSyntax.Find(calls.Syntax) ?? throw new ArgumentException($"there is no call syntax '{calls.Syntax}'", nameof(calls));
        if (calls.Parallel && syntax.Many is var (begin, separator, end)) syntax = syntax with { Begin = begin, Separator = separator, End = end };
        var first = from;
        if (!calls.Required)
        {
            first = builder.State();
            FreeText.Emit(builder, [syntax.Opener], TokensOfText(vocabulary, syntax.Opener), from, first);
            GrammarBuilder.Skip(first, to);
        }
        new ToolCallRules(builder, json, syntax).Emit(calls.Functions, calls.Parallel, first, to);
    }

    private static GrammarState Thought(bool open, GrammarBuilder builder, GrammarVocabulary vocabulary, GrammarState from)
    {
        var after = builder.State();
        if (!open) GrammarBuilder.Skip(from, after);
        var end = builder.State();
        string[] markers = [OutputConstraint.AfterThought.Begin, OutputConstraint.AfterThought.End];
        FreeText.Emit(builder, markers, TokensOfText(vocabulary, markers), open ? from : builder.Marked(from, markers[0]), end);
        var closed = builder.Marked(end, markers[1]);
        GrammarBuilder.Skip(closed, after);
        var line = builder.Text(closed, "\n");             // templates show one or two line ends here
        GrammarBuilder.Skip(line, after);
        GrammarBuilder.Skip(builder.Text(line, "\n"), after);
        return after;
    }

    /// <summary>Added tokens that a reader sees as text, without those that mean something to the grammar.</summary>
    private static int[] TokensOfText(GrammarVocabulary vocabulary, params string[] markers)
    {
        var reserved = markers.Where(vocabulary.Markers.ContainsKey).Select(marker => vocabulary.Markers[marker]).ToHashSet();
        return [.. vocabulary.PlainMarkers.Where(id => !reserved.Contains(id))];
    }

    private static RegexNode ParseRegex(string pattern)
    {
        try { return RegexParser.Parse(pattern, search: false); }
        catch (FormatException e) { throw new GrammarException(null, $"the expression {e.Message}"); }
    }
}
