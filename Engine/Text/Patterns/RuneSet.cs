using System.Globalization;

namespace NanoAspire.Engine.Text.Patterns;

/// <summary>
/// A set of Unicode code points: general categories, ranges and other sets, possibly negated, possibly intersected.
/// Works on code points rather than UTF-16 units, so 𝒜 is a letter and 🙂 is one symbol.
/// </summary>
internal sealed class RuneSet
{
    private static readonly (int First, int Last)[] WhiteSpace =
    [
        (0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
        (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
    ];

    private readonly (int First, int Last)[] _ranges;
    private readonly uint _categories;
    private readonly RuneSet[] _members;
    private readonly bool _negated;
    private readonly RuneSet? _and;
    private readonly UInt128 _ascii;

    public RuneSet(IEnumerable<(int First, int Last)> ranges, uint categories = 0, IEnumerable<RuneSet>? members = null, bool negated = false, RuneSet? and = null)
    {
        _ranges = [.. ranges.OrderBy(range => range.First)];
        _categories = categories;
        _members = members?.ToArray() ?? [];
        _negated = negated;
        _and = and;
        for (var c = 0; c < 128; c++)
        {
            if (Test(c)) _ascii |= UInt128.One << c;
        }
    }

    public static RuneSet Space { get; } = new(WhiteSpace);
    public static RuneSet Digit { get; } = OfCategories("Nd")!;
    /// <summary>Alphabetic characters (letters, letter numbers, the circled and squared Latin letters), marks, decimal digits, connectors and joiners.</summary>
    public static RuneSet Word { get; } = new(
        [(0x200C, 0x200D), (0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)],
        CategoryMask("L") | CategoryMask("M") | CategoryMask("Nd") | CategoryMask("Nl") | CategoryMask("Pc"));
    public static RuneSet AnyButNewline { get; } = new([('\n', '\n')], negated: true);

    public static RuneSet Not(RuneSet set) => new([], members: [set], negated: true);

    public bool Contains(int point) => point < 128 ? (_ascii >> point & 1) != 0 : Test(point);

    /// <summary>A general category ("Lu") or a group of them ("L"), null when there is none of that name.</summary>
    public static RuneSet? OfCategories(string name) => CategoryMask(name) is var mask and not 0 ? new RuneSet([], mask) : null;

    private bool Test(int point)
    {
        var found = (_categories >> (int)CharUnicodeInfo.GetUnicodeCategory(point) & 1) != 0 || InRanges(point);
        for (var i = 0; !found && i < _members.Length; i++) found = _members[i].Contains(point);
        return found != _negated && (_and is null || _and.Contains(point));
    }

    private bool InRanges(int point)
    {
        foreach (var (first, last) in _ranges)
        {
            if (point < first) return false;
            if (point <= last) return true;
        }
        return false;
    }

    private static uint CategoryMask(string name) => name switch
    {
        "L" => CategoryMask("LC") | CategoryMask("Lm") | CategoryMask("Lo"),
        "LC" => CategoryMask("Lu") | CategoryMask("Ll") | CategoryMask("Lt"),
        "Lu" => Bit(UnicodeCategory.UppercaseLetter),
        "Ll" => Bit(UnicodeCategory.LowercaseLetter),
        "Lt" => Bit(UnicodeCategory.TitlecaseLetter),
        "Lm" => Bit(UnicodeCategory.ModifierLetter),
        "Lo" => Bit(UnicodeCategory.OtherLetter),
        "M" => CategoryMask("Mn") | CategoryMask("Mc") | CategoryMask("Me"),
        "Mn" => Bit(UnicodeCategory.NonSpacingMark),
        "Mc" => Bit(UnicodeCategory.SpacingCombiningMark),
        "Me" => Bit(UnicodeCategory.EnclosingMark),
        "N" => CategoryMask("Nd") | CategoryMask("Nl") | CategoryMask("No"),
        "Nd" => Bit(UnicodeCategory.DecimalDigitNumber),
        "Nl" => Bit(UnicodeCategory.LetterNumber),
        "No" => Bit(UnicodeCategory.OtherNumber),
        "P" => CategoryMask("Pc") | CategoryMask("Pd") | CategoryMask("Ps") | CategoryMask("Pe") | CategoryMask("Pi") | CategoryMask("Pf") | CategoryMask("Po"),
        "Pc" => Bit(UnicodeCategory.ConnectorPunctuation),
        "Pd" => Bit(UnicodeCategory.DashPunctuation),
        "Ps" => Bit(UnicodeCategory.OpenPunctuation),
        "Pe" => Bit(UnicodeCategory.ClosePunctuation),
        "Pi" => Bit(UnicodeCategory.InitialQuotePunctuation),
        "Pf" => Bit(UnicodeCategory.FinalQuotePunctuation),
        "Po" => Bit(UnicodeCategory.OtherPunctuation),
        "S" => CategoryMask("Sm") | CategoryMask("Sc") | CategoryMask("Sk") | CategoryMask("So"),
        "Sm" => Bit(UnicodeCategory.MathSymbol),
        "Sc" => Bit(UnicodeCategory.CurrencySymbol),
        "Sk" => Bit(UnicodeCategory.ModifierSymbol),
        "So" => Bit(UnicodeCategory.OtherSymbol),
        "Z" => CategoryMask("Zs") | CategoryMask("Zl") | CategoryMask("Zp"),
        "Zs" => Bit(UnicodeCategory.SpaceSeparator),
        "Zl" => Bit(UnicodeCategory.LineSeparator),
        "Zp" => Bit(UnicodeCategory.ParagraphSeparator),
        "C" => CategoryMask("Cc") | CategoryMask("Cf") | CategoryMask("Cs") | CategoryMask("Co") | CategoryMask("Cn"),
        "Cc" => Bit(UnicodeCategory.Control),
        "Cf" => Bit(UnicodeCategory.Format),
        "Cs" => Bit(UnicodeCategory.Surrogate),
        "Co" => Bit(UnicodeCategory.PrivateUse),
        "Cn" => Bit(UnicodeCategory.OtherNotAssigned),
        _ => 0,
    };

    private static uint Bit(UnicodeCategory category) => 1u << (int)category;
}
