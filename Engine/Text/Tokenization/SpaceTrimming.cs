using NanoAspire.Engine.Text.Patterns;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>Trimming by Unicode's White_Space, which no supplementary character has.</summary>
internal static class SpaceTrimming
{
    public static ReadOnlySpan<char> TrimStartSpace(this ReadOnlySpan<char> text)
    {
        var start = 0;
        while (start < text.Length && RuneSet.Space.Contains(text[start])) start++;
        return text[start..];
    }

    public static ReadOnlySpan<char> TrimEndSpace(this ReadOnlySpan<char> text)
    {
        var end = text.Length;
        while (end > 0 && RuneSet.Space.Contains(text[end - 1])) end--;
        return text[..end];
    }
}
