using System.Buffers;
using System.Text;
using NanoAspire.Engine.Text.Patterns;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>A stretch of text, or an added token when <paramref name="Token"/> is not negative.</summary>
internal readonly record struct TextPart(int Start, int Length, int Token);

/// <summary>Finds added tokens: at each place the longest one, left to right, without overlap.</summary>
internal sealed class AddedTokenSplitter
{
    private readonly Node _root = new();
    private readonly SearchValues<char> _firsts;

    public AddedTokenSplitter(IEnumerable<(AddedToken Token, string Content)> tokens)
    {
        foreach (var (token, content) in tokens)
        {
            if (content.Length == 0) continue;
            var node = _root;
            foreach (var c in content)
            {
                if (!node.Next.TryGetValue(c, out var next)) node.Next[c] = next = new();
                node = next;
            }
            node.Token ??= token;
        }
        _firsts = SearchValues.Create([.. _root.Next.Keys]);
    }

    public void Split(ReadOnlySpan<char> text, List<TextPart> parts)
    {
        var done = 0;
        var at = 0;
        while (at < text.Length)
        {
            var skip = text[at..].IndexOfAny(_firsts);
            if (skip < 0) break;
            at += skip;
            var (token, length) = Longest(text[at..]);
            if (token is null)
            {
                at++;
                continue;
            }
            var (start, end) = (at, at + length);
            at = end;
            if (token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..]))) continue;
            if (token.LStrip) start = text[..start].TrimEndSpace().Length;
            if (token.RStrip) end = text.Length - text[end..].TrimStartSpace().Length;
            start = Math.Max(start, done);                              // the token before may have swallowed the same spaces
            if (end <= done) continue;
            if (start > done) parts.Add(new(done, start - done, -1));
            parts.Add(new(start, end - start, token.Id));
            done = end;
        }
        if (done < text.Length) parts.Add(new(done, text.Length - done, -1));
    }

    private (AddedToken? Token, int Length) Longest(ReadOnlySpan<char> text)
    {
        (AddedToken? Token, int Length) best = default;
        var node = _root;
        for (var i = 0; i < text.Length && node.Next.TryGetValue(text[i], out node!); i++)
        {
            if (node.Token is { } token) best = (token, i + 1);
        }
        return best;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && RuneSet.Word.Contains(rune.Value);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && RuneSet.Word.Contains(rune.Value);

    private sealed class Node
    {
        public Dictionary<char, Node> Next { get; } = [];
        public AddedToken? Token { get; set; }
    }
}
