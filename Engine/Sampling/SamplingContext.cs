using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Engine.Sampling;

/// <summary>What a draw depends on besides the logits.</summary>
internal readonly ref struct SamplingContext
{
    public required SamplingParams Params { get; init; }
    /// <summary>Prompt and output so far; its length is the position that is drawn.</summary>
    public required ReadOnlySpan<int> Tokens { get; init; }
    public required int PromptLength { get; init; }
    /// <summary>Tokens that end the sequence: not drawn before <see cref="SamplingParams.MinTokens"/>.</summary>
    public required ReadOnlySpan<int> StopIds { get; init; }
    /// <summary>Null: every token. Else these, and the <see cref="StopIds"/> where <see cref="MayEnd"/>.</summary>
    public TokenMask? Allowed { get; init; }
    public bool MayEnd { get; init; }
    /// <summary>The seed, or a random number drawn once for the sequence.</summary>
    public required ulong Key { get; init; }
}
