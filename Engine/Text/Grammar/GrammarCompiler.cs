using System.Text;
using NanoAspire.Engine.Text.Grammar.Automata;
using NanoAspire.Engine.Text.Grammar.Patterns;
using NanoAspire.Engine.Text.Grammar.Schemas;

namespace NanoAspire.Engine.Text.Grammar;

/// <summary>Compiles constraints for a vocabulary.</summary>
public static class GrammarCompiler
{
    public const int MaxChoices = 10_000;

    /// <param name="constraint">What the output must look like.</param>
    /// <param name="vocabulary">Of the model that will write it.</param>
    /// <exception cref="GrammarException">Malformed, unsupported, unsatisfiable or too large.</exception>
    public static CompiledGrammar Compile(OutputConstraint constraint, GrammarVocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(constraint);
        ArgumentNullException.ThrowIfNull(vocabulary);
        var builder = new GrammarBuilder(vocabulary.Markers);
        var root = Emit(constraint, builder);
        if (!builder.Seal(root)) throw new GrammarException("$", "no finite text satisfies the constraint");
        if (root.Start.Height > GrammarBuilder.MaxNesting) throw new GrammarException("$", $"every text that satisfies the constraint nests deeper than {GrammarBuilder.MaxNesting} levels");
        return new(new Automaton(builder.States, root), vocabulary);
    }

    private static GrammarRule Emit(OutputConstraint constraint, GrammarBuilder builder)
    {
        var json = new JsonRules(builder);
        switch (constraint)
        {
            case OutputConstraint.JsonObject:
                return json.Object;
            case OutputConstraint.JsonSchema schema:
                return new SchemaCompiler(builder, json, schema.Schema).Compile();
            case OutputConstraint.Regex regex:
                var rule = builder.Rule();
                try { new RegexRules(builder, (from, set, to) => set.Emit(builder, from, to)).Emit(RegexParser.Parse(regex.Pattern, search: false), rule.Start, rule.End); }
                catch (FormatException e) { throw new GrammarException(null, $"the expression {e.Message}"); }
                return rule;
            case OutputConstraint.Choice choice:
                if (choice.Options.Count is 0 or > MaxChoices) throw new GrammarException(null, $"there must be between 1 and {MaxChoices} choices");
                var options = builder.Rule();
                builder.AnyOf(options.Start, choice.Options.Select(Encoding.UTF8.GetBytes), options.End);
                return options;
            default:
                throw new ArgumentException("not a known constraint", nameof(constraint));
        }
    }
}
