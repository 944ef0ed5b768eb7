using System.Text.Json;

namespace NanoAspire.Engine.Text.Grammar;

/// <summary>What an output must look like, before it is compiled for a vocabulary.</summary>
public abstract record OutputConstraint
{
    private OutputConstraint() { }

    /// <summary>Equal keys mean equal constraints: what compiled grammars are cached under.</summary>
    internal abstract string Key { get; }

    /// <summary>Any JSON object.</summary>
    public sealed record JsonObject : OutputConstraint
    {
        internal override string Key => "object";
    }

    /// <summary>A JSON value that satisfies a schema.</summary>
    public sealed record JsonSchema(JsonElement Schema) : OutputConstraint
    {
        internal override string Key => "schema\n" + Schema.GetRawText();
    }

    /// <summary>A text that the expression matches whole.</summary>
    public sealed record Regex(string Pattern) : OutputConstraint
    {
        internal override string Key => "regex\n" + Pattern;
    }

    /// <summary>One of some texts.</summary>
    public sealed record Choice(IReadOnlyList<string> Options) : OutputConstraint
    {
        internal override string Key => "choice\n" + string.Join('\n', Options.Select(option => $"{option.Length} {option}"));
    }

    /// <summary>Calls of functions in a model family's syntax.</summary>
    /// <param name="Syntax">One of <see cref="GrammarCompiler.CallSyntaxes"/>.</param>
    /// <param name="Functions">Those that may be called.</param>
    /// <param name="Required">The output is calls and nothing else; otherwise text, or text and then calls.</param>
    /// <param name="Parallel">More than one call may be made.</param>
    public sealed record ToolCalls(string Syntax, IReadOnlyList<ToolFunction> Functions, bool Required, bool Parallel) : OutputConstraint
    {
        internal override string Key =>
            $"tools\n{Syntax} {Required} {Parallel}\n" + string.Join('\n', Functions.Select(function => $"{function.Strict} {function.Name.Length} {function.Name} {function.Parameters?.GetRawText()}"));
    }

    /// <summary>One or the other.</summary>
    public sealed record Either(OutputConstraint First, OutputConstraint Second) : OutputConstraint
    {
        internal override string Key => $"either {First.Key.Length}\n{First.Key}\n{Second.Key}";
    }

    /// <summary>A thought first, then what <paramref name="Then"/> says.</summary>
    /// <param name="Open">The prompt ends inside the thought; otherwise the output may begin with one, or not.</param>
    /// <param name="Then">What follows the thought; itself not a thought.</param>
    public sealed record AfterThought(bool Open, OutputConstraint Then) : OutputConstraint
    {
        public const string Begin = "<think>", End = "</think>";
        internal override string Key => $"thought {Open}\n{Then.Key}";
    }
}
