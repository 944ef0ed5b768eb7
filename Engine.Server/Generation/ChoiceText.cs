using NanoAspire.Answers;
using NanoAspire.Engine.Text;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>
/// Text of one choice, token by token: detokenised, cut at stop strings, and where a parser is given told apart into reasoning,
/// content and calls. Without a tokenizer there is no text.
/// </summary>
internal sealed class ChoiceText
{
    private readonly Tokenizer? _tokenizer;
    private readonly Detokenizer? _detokenizer;
    private readonly StopMatcher? _stops;
    private readonly AnswerParser? _parser;
    private readonly HashSet<int>? _kept;
    private int _reasoningTokens;

    /// <param name="tokenizer">The model's.</param>
    /// <param name="stops">Strings that end the text before them.</param>
    /// <param name="skipSpecialTokens">Special tokens have no text, except those that mean something to the parser.</param>
    /// <param name="parser">Null: all text is content.</param>
    /// <param name="markers">Texts that mean something to the parser.</param>
    public ChoiceText(Tokenizer? tokenizer, IReadOnlyList<string> stops, bool skipSpecialTokens, AnswerParser? parser = null, IEnumerable<string>? markers = null)
    {
        _tokenizer = tokenizer;
        _parser = parser;
        if (tokenizer is not null && parser is not null && skipSpecialTokens) _kept = [.. (markers ?? []).Select(tokenizer.TokenId).OfType<int>()];
        _detokenizer = tokenizer is null ? null : new(tokenizer, skipSpecialTokens && _kept is null);
        _stops = stops.Count == 0 ? null : new(stops);
    }

    /// <summary>Runs through tokens that the client has already: what follows continues their text.</summary>
    /// <returns>Characters of text that they came to.</returns>
    public int Replay(IReadOnlyList<int> tokenIds)
    {
        var length = 0;
        foreach (var id in tokenIds)
        {
            if (_parser?.Thinking is true) _reasoningTokens++;
            var (text, _) = Append(id);
            length += text.Length;
            _parser?.Append(text);
        }
        return length;
    }

    /// <summary>What one event of the engine adds to the choice.</summary>
    public ChoiceDelta Render(int choice, GenerationOutput output)
    {
        if (output.Finish is FinishReason.Error or FinishReason.Abort)
            return new(choice, "", null, Error: output.Error ?? "the engine stopped before the request was finished");
        var token = output.Token ?? throw new InvalidOperationException("an output without token must carry an error");
        if (_parser?.Thinking is true) _reasoningTokens++;
        // The token that stopped the sequence is counted and listed, but it is not part of the text.
        var (piece, stopped) = output.Finish == FinishReason.Stop ? ("", false) : Append(token.Id);
        if (!stopped && output.Finish is not null)
        {
            (var rest, stopped) = Flush();
            piece += rest;
        }
        var reason = stopped || output.Finish == FinishReason.Stop ? "stop" : output.Finish == FinishReason.Length ? "length" : null;
        var delta = new ChoiceDelta(choice, piece, token, reason, CachedTokens: output.CachedTokens);
        return _parser is null ? delta : Parse(delta, _parser);
    }

    private ChoiceDelta Parse(ChoiceDelta delta, AnswerParser parser)
    {
        var parts = parser.Append(delta.Text);
        var reason = parser.Done ? delta.FinishReason ?? "stop" : delta.FinishReason;
        if (reason is not null) parts = [.. parts, .. parser.Finish(truncated: reason == "length")];
        if (parser.Done || (reason == "stop" && parser.Calls > 0)) reason = "tool_calls";
        return delta with { Parts = parts, FinishReason = reason, ReasoningTokens = _reasoningTokens };
    }

    /// <summary>New text, and whether a stop string was reached (the text then ends before it).</summary>
    public (string Text, bool Stopped) Append(int tokenId)
    {
        if (_kept is not null && _tokenizer!.IsSpecial(tokenId) && !_kept.Contains(tokenId)) return ("", false);
        return Match(_detokenizer?.Append(tokenId) ?? "");
    }

    /// <summary>What was held back, at the end.</summary>
    public (string Text, bool Stopped) Flush()
    {
        var (text, stopped) = Match(_detokenizer?.Flush() ?? "");
        return stopped || _stops is null ? (text, stopped) : (text + _stops.Flush(), false);
    }

    private (string Text, bool Stopped) Match(string text)
    {
        if (_stops is null) return (text, false);
        var match = _stops.Append(text);
        return (match.Text, match.Stopped);
    }
}
