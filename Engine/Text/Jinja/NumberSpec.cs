using System.Globalization;
using System.Numerics;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>A number or text in the form that a format specification asks for: what % and str.format have in common.</summary>
internal sealed record NumberSpec
{
    public string Fill { get; init; } = " ";
    /// <summary>&lt;, &gt;, ^ or =; null: numbers right, text left.</summary>
    public char? Align { get; init; }
    /// <summary>+, space or - (only negative numbers show one).</summary>
    public char Sign { get; init; } = '-';
    public bool Alternate { get; init; }
    public char? Grouping { get; init; }
    public int Width { get; init; }
    public int? Precision { get; init; }
    public char? Type { get; init; }

    public string Apply(RenderContext context, object? value)
    {
        context.CheckSize(Width);
        if (value is string text || Type == 's')
        {
            var plain = value as string ?? PyFormat.Str(context, value);
            if (Precision is { } limit && PyText.Length(plain) > limit) plain = plain[..PyText.Position(plain, limit)];
            return Pad("", plain, Align ?? '<');
        }
        var (negative, digits) = Type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%' || (Type is null && value is double) ? Real(value) : Whole(value);
        var sign = negative ? "-" : Sign is '+' or ' ' ? Sign.ToString() : "";
        return Pad(sign, digits, Align ?? '>');
    }

    private (bool Negative, string Digits) Whole(object? value)
    {
        if (PyTypes.AsInteger(value) is not { } n)
        {
            throw new TemplateError($"format '{Type ?? 'd'}' needs an int, not {PyTypes.Name(PyTypes.Defined(value))}");
        }
        var magnitude = BigInteger.Abs(n);
        var digits = Type switch
        {
            null or 'd' or 'i' or 'u' or 'n' => Group(magnitude.ToString(CultureInfo.InvariantCulture)),
            'x' => (Alternate ? "0x" : "") + Radix(magnitude, 16),
            'X' => (Alternate ? "0X" : "") + Radix(magnitude, 16).ToUpperInvariant(),
            'o' => (Alternate ? "0o" : "") + Radix(magnitude, 8),
            'b' => (Alternate ? "0b" : "") + Radix(magnitude, 2),
            'c' when n >= 0 && n < 0x110000 && !(n >= 0xD800 && n < 0xE000) => char.ConvertFromUtf32((int)n),
            _ => throw new TemplateError($"unknown format code '{Type}' for an int"),
        };
        return (n.Sign < 0, digits.PadLeft(Math.Min(Precision ?? 0, 1000), '0'));
    }

    private (bool Negative, string Digits) Real(object? value)
    {
        var number = PyTypes.AsDouble(PyTypes.Defined(value)) ?? throw new TemplateError($"must be real number, not {PyTypes.Name(value)}");
        var magnitude = Math.Abs(number);
        if (!double.IsFinite(number)) return (number < 0, PyNumbers.Repr(magnitude));
        if (Precision > 1000) throw new TemplateError("the precision is too big");
        var digits = Type switch
        {
            'f' or 'F' => PyNumbers.Fixed(magnitude, Precision ?? 6),
            '%' => PyNumbers.Fixed(magnitude * 100, Precision ?? 6) + "%",
            'e' or 'E' => Exponent(magnitude.ToString($"{Type}{Precision ?? 6}", CultureInfo.InvariantCulture)),
            null when Precision is null => PyNumbers.Repr(magnitude),
            _ => General(magnitude),
        };
        return (double.IsNegative(number), Group(digits));
    }

    /// <summary>Significant digits, without trailing zeros, in whichever notation is shorter.</summary>
    private string General(double magnitude)
    {
        var precision = Math.Max(Precision ?? 6, 1);
        if (magnitude == 0) return "0";
        var scientific = magnitude.ToString($"e{precision - 1}", CultureInfo.InvariantCulture);
        var exponent = int.Parse(scientific.AsSpan(scientific.IndexOf('e', StringComparison.Ordinal) + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var upper = Type == 'G';
        if (exponent >= -4 && exponent < precision) return TrimZeros(PyNumbers.Fixed(magnitude, precision - 1 - exponent));
        var mantissa = TrimZeros(scientific[..scientific.IndexOf('e', StringComparison.Ordinal)]);
        return string.Create(CultureInfo.InvariantCulture, $"{mantissa}{(upper ? 'E' : 'e')}{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
    }

    private static string TrimZeros(string digits) => digits.Contains('.', StringComparison.Ordinal) ? digits.TrimEnd('0').TrimEnd('.') : digits;

    /// <summary>.NET writes e+006, Python e+06.</summary>
    private static string Exponent(string text)
    {
        var e = text.AsSpan().IndexOfAny('e', 'E');
        var digits = text[(e + 2)..].TrimStart('0').PadLeft(2, '0');
        return text[..(e + 2)] + digits;
    }

    private string Group(string digits)
    {
        if (Grouping is not { } separator) return digits;
        var end = digits.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (end < 0) end = digits.Length;
        for (var at = end - 3; at > 0; at -= 3) digits = digits.Insert(at, separator.ToString());
        return digits;
    }

    private static string Radix(BigInteger value, int radix)
    {
        if (value.IsZero) return "0";
        var digits = "";
        for (; !value.IsZero; value /= radix) digits = "0123456789abcdef"[(int)(value % radix)] + digits;
        return digits;
    }

    private string Pad(string sign, string body, char align)
    {
        var missing = Math.Max(0, Width - sign.Length - PyText.Length(body));
        return align switch
        {
            '<' => sign + body + Filling(missing),
            '^' => Filling(missing / 2) + sign + body + Filling(missing - missing / 2),
            '=' => sign + Filling(missing) + body,
            _ => Filling(missing) + sign + body,
        };
    }

    private string Filling(int count) => string.Concat(Enumerable.Repeat(Fill, count));
}
