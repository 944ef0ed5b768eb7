using System.Text;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>One choice put together from its deltas.</summary>
internal sealed class ChoiceResult
{
    private readonly StringBuilder _text = new();

    public List<SampledToken> Tokens { get; } = [];
    /// <summary>Length of the text before each token, for text completions' <c>text_offset</c>.</summary>
    public List<int> Offsets { get; } = [];
    public string? FinishReason { get; private set; }
    public string? Error { get; private set; }
    public int CachedTokens { get; private set; }
    public string Text => _text.ToString();

    public void Add(in ChoiceDelta delta)
    {
        if (Tokens.Count == 0) CachedTokens = delta.CachedTokens;
        if (delta.Token is { } token)
        {
            Offsets.Add(_text.Length);
            Tokens.Add(token);
        }
        _text.Append(delta.Text);
        FinishReason ??= delta.FinishReason;
        Error ??= delta.Error;
    }
}
