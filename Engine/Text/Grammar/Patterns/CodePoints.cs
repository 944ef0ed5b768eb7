using System.Globalization;
using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Engine.Text.Grammar.Patterns;

/// <summary>A set of Unicode scalar values: sorted, disjoint, non-adjacent ranges, never a surrogate.</summary>
internal sealed class CodePoints
{
    private const int Last = 0x10FFFF, FirstSurrogate = 0xD800, LastSurrogate = 0xDFFF;

    private CodePoints((int First, int Last)[] ranges) => Ranges = ranges;

    public (int First, int Last)[] Ranges { get; }
    public bool IsEmpty => Ranges.Length == 0;

    public static CodePoints All { get; } = Of([(0, Last)]);
    public static CodePoints Digit { get; } = Of([('0', '9')]);
    public static CodePoints Word { get; } = Of([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]);
    public static CodePoints Space { get; } = Of(
        [(0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)]);
    /// <summary>What a dot matches.</summary>
    public static CodePoints AnyButNewline { get; } = Of([('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)]).Complement();

    public static CodePoints One(int point) => Of([(point, point)]);

    /// <summary>Any ranges, in any order.</summary>
    public static CodePoints Of(IEnumerable<(int First, int Last)> ranges)
    {
        var merged = new List<(int First, int Last)>();
        foreach (var (first, last) in ranges.SelectMany(WithoutSurrogates).OrderBy(range => range.First))
        {
            if (merged.Count > 0 && first <= merged[^1].Last + 1) merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, last));
            else merged.Add((first, last));
        }
        return new([.. merged]);
    }

    /// <summary>The scalars of a general category ("Lu") or of a group of them ("L"); null when there is none of that name.</summary>
    public static CodePoints? OfCategory(string name)
    {
        if (name.Length is not (1 or 2)) return null;
        var ranges = new List<(int, int)>();
        for (var point = 0; point <= Last; point++)
        {
            if (NameOf(CharUnicodeInfo.GetUnicodeCategory(point)).StartsWith(name, StringComparison.Ordinal)) ranges.Add((point, point));
        }
        return ranges.Count == 0 ? null : Of(ranges);
    }

    public CodePoints Complement()
    {
        var gaps = new List<(int, int)>();
        var next = 0;
        foreach (var (first, last) in Ranges)
        {
            if (first > next) gaps.Add((next, first - 1));
            next = last + 1;
        }
        if (next <= Last) gaps.Add((next, Last));
        return Of(gaps);
    }

    public CodePoints Union(CodePoints other) => Of([.. Ranges, .. other.Ranges]);

    public CodePoints Except(CodePoints other) => Complement().Union(other).Complement();

    public CodePoints Intersect(CodePoints other) => Except(other.Complement());

    public bool Contains(int point) => Array.Exists(Ranges, range => range.First <= point && point <= range.Last);

    /// <summary>One scalar of the set as UTF-8, from a state to another.</summary>
    public void Emit(GrammarBuilder builder, GrammarState from, GrammarState to)
    {
        var single = default(ByteSet);
        foreach (var (first, last) in Ranges)
        {
            if (first < 0x80) single |= ByteSet.Range((byte)first, (byte)Math.Min(last, 0x7F));
        }
        GrammarBuilder.Bytes(from, single, to);
        // Every tail "any continuation byte, n times" is the same: most large sets are made of those.
        var tails = new GrammarState?[4];
        tails[0] = to;
        foreach (var (first, last) in Ranges)
        {
            if (last >= 0x80) EmitLong(builder, Math.Max(first, 0x80), last, from, tails);
        }
    }

    private static void EmitLong(GrammarBuilder builder, int first, int last, GrammarState from, GrammarState?[] tails)
    {
        foreach (var (low, high) in new[] { (0x80, 0x7FF), (0x800, 0xFFFF), (0x10000, Last) })
        {
            var (f, l) = (Math.Max(first, low), Math.Min(last, high));
            if (f <= l) EmitRange(builder, Utf8(f), Utf8(l), from, tails);
        }
    }

    /// <summary>Byte strings of one length between two bounds, both of them UTF-8.</summary>
    private static void EmitRange(GrammarBuilder builder, ReadOnlySpan<byte> first, ReadOnlySpan<byte> last, GrammarState from, GrammarState?[] tails)
    {
        if (first.Length == 1)
        {
            GrammarBuilder.Bytes(from, ByteSet.Range(first[0], last[0]), tails[0]!);
            return;
        }
        var (rest, low, high) = (first.Length - 1, (int)first[0], (int)last[0]);
        var (wholeFirst, wholeLast) = (first[1..].IndexOfAnyExcept((byte)0x80) < 0, last[1..].IndexOfAnyExcept((byte)0xBF) < 0);
        if (low == high && !(wholeFirst && wholeLast))
        {
            EmitRange(builder, first[1..], last[1..], builder.One(from, ByteSet.Of(first[0])), tails);
            return;
        }
        if (!wholeFirst) EmitRange(builder, first[1..], Fill(rest, 0xBF), builder.One(from, ByteSet.Of((byte)low++)), tails);
        if (!wholeLast) EmitRange(builder, Fill(rest, 0x80), last[1..], builder.One(from, ByteSet.Of((byte)high--)), tails);
        if (low <= high) GrammarBuilder.Bytes(from, ByteSet.Range((byte)low, (byte)high), Tail(builder, rest, tails));
    }

    private static GrammarState Tail(GrammarBuilder builder, int length, GrammarState?[] tails)
    {
        if (tails[length] is { } known) return known;
        var state = builder.State();
        GrammarBuilder.Bytes(state, ByteSet.Range(0x80, 0xBF), Tail(builder, length - 1, tails));
        return tails[length] = state;
    }

    private static byte[] Fill(int length, byte value)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }

    private static byte[] Utf8(int point)
    {
        var bytes = new byte[4];
        return bytes[..new System.Text.Rune(point).EncodeToUtf8(bytes)];
    }

    private static IEnumerable<(int First, int Last)> WithoutSurrogates((int First, int Last) range)
    {
        if (range.First < FirstSurrogate) yield return (range.First, Math.Min(range.Last, FirstSurrogate - 1));
        if (range.Last > LastSurrogate) yield return (Math.Max(range.First, LastSurrogate + 1), range.Last);
    }

    private static string NameOf(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => "Lu",
        UnicodeCategory.LowercaseLetter => "Ll",
        UnicodeCategory.TitlecaseLetter => "Lt",
        UnicodeCategory.ModifierLetter => "Lm",
        UnicodeCategory.OtherLetter => "Lo",
        UnicodeCategory.NonSpacingMark => "Mn",
        UnicodeCategory.SpacingCombiningMark => "Mc",
        UnicodeCategory.EnclosingMark => "Me",
        UnicodeCategory.DecimalDigitNumber => "Nd",
        UnicodeCategory.LetterNumber => "Nl",
        UnicodeCategory.OtherNumber => "No",
        UnicodeCategory.ConnectorPunctuation => "Pc",
        UnicodeCategory.DashPunctuation => "Pd",
        UnicodeCategory.OpenPunctuation => "Ps",
        UnicodeCategory.ClosePunctuation => "Pe",
        UnicodeCategory.InitialQuotePunctuation => "Pi",
        UnicodeCategory.FinalQuotePunctuation => "Pf",
        UnicodeCategory.OtherPunctuation => "Po",
        UnicodeCategory.MathSymbol => "Sm",
        UnicodeCategory.CurrencySymbol => "Sc",
        UnicodeCategory.ModifierSymbol => "Sk",
        UnicodeCategory.OtherSymbol => "So",
        UnicodeCategory.SpaceSeparator => "Zs",
        UnicodeCategory.LineSeparator => "Zl",
        UnicodeCategory.ParagraphSeparator => "Zp",
        UnicodeCategory.Control => "Cc",
        UnicodeCategory.Format => "Cf",
        UnicodeCategory.PrivateUse => "Co",
        _ => "Cn",
    };
}
