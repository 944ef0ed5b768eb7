using System.Text;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>ByteLevel's <c>add_prefix_space</c>.</summary>
internal sealed class PrefixSpacePreTokenizer : PreTokenizer
{
    public override void Apply(ReadOnlyMemory<char> piece, List<ReadOnlyMemory<char>> pieces) =>
        pieces.Add(piece.Span[0] == ' ' ? piece : string.Concat(" ", piece.Span).AsMemory());
}

/// <summary>Rewrites a piece as one character a UTF-8 byte.</summary>
internal sealed class ByteAlphabetPreTokenizer : PreTokenizer
{
    public override void Apply(ReadOnlyMemory<char> piece, List<ReadOnlyMemory<char>> pieces)
    {
        var mapped = new char[Encoding.UTF8.GetByteCount(piece.Span)];
        ByteAlphabet.Encode(piece.Span, mapped);
        pieces.Add(mapped);
    }
}
