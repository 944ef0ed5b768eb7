using NanoAspire.Engine.Text;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>Text of one choice, token by token: detokenised, cut at stop strings. Without a tokenizer there is no text.</summary>
internal sealed class ChoiceText(Tokenizer? tokenizer, IReadOnlyList<string> stops, bool skipSpecialTokens)
{
    private readonly Detokenizer? _detokenizer = tokenizer is null ? null : new(tokenizer, skipSpecialTokens);
    private readonly StopMatcher? _stops = stops.Count == 0 ? null : new(stops);

    /// <summary>New text, and whether a stop string was reached (the text then ends before it).</summary>
    public (string Text, bool Stopped) Append(int tokenId) => Match(_detokenizer?.Append(tokenId) ?? "");

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
