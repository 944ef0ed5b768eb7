namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>What a Split does with the matches of its pattern.</summary>
internal enum SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous }

/// <summary>Cuts at the matches of a pattern; inverted, the matches are what stays and the rest is the separator.</summary>
internal sealed class SplitPreTokenizer(TextPattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    /// <summary>The split that ByteLevel brings along.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public static SplitBehavior ReadBehavior(JsonField field) =>
        Enum.TryParse<SplitBehavior>(field.String(), out var behavior) && Enum.IsDefined(behavior)
            ? behavior : throw field.Error($"'{field.String()}' is not supported");

    public override void Apply(ReadOnlyMemory<char> piece, List<ReadOnlyMemory<char>> pieces)
    {
        var parts = new List<Part>();
        var done = 0;
        pattern.ForEachMatch(piece.Span, (start, length) =>
        {
            if (start > done) parts.Add(new(done, start, invert));
            parts.Add(new(start, start + length, !invert));
            done = start + length;
        });
        if (done < piece.Length) parts.Add(new(done, piece.Length, invert));

        foreach (var part in Merge(parts)) pieces.Add(piece[part.Start..part.End]);
    }

    private IEnumerable<Part> Merge(List<Part> parts) => behavior switch
    {
        SplitBehavior.Removed => parts.Where(part => !part.Separator),
        SplitBehavior.Isolated => parts,
        SplitBehavior.MergedWithPrevious => Join(parts, (before, part) => part.Separator && !before.Separator),
        SplitBehavior.MergedWithNext => Join(parts, (before, part) => before.Separator && !part.Separator),
        _ => Join(parts, (before, part) => before.Separator == part.Separator),
    };

    /// <summary>Joins neighbours when <paramref name="joined"/> says so of them as they were cut.</summary>
    private static List<Part> Join(List<Part> parts, Func<Part, Part, bool> joined)
    {
        var merged = new List<Part>();
        for (var i = 0; i < parts.Count; i++)
        {
            if (i > 0 && joined(parts[i - 1], parts[i])) merged[^1] = merged[^1] with { End = parts[i].End };
            else merged.Add(parts[i]);
        }
        return merged;
    }

    private readonly record struct Part(int Start, int End, bool Separator);
}
