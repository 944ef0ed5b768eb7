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
}
