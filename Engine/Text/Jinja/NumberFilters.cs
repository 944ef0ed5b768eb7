using System.Globalization;
using System.Numerics;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>Filters that make numbers.</summary>
internal static class NumberFilters
{
    public static object? Int(RenderContext context, object? value, Arguments arguments)
    {
        var absent = arguments.Take("default", absent: 0L);
        var radix = (int)arguments.TakeInt("base", 10);
        return PyTypes.Defined(value) switch
        {
            string text => ParseInt(text, radix) ?? (ParseFloat(text) is { } parsed && double.IsFinite(parsed) ? Truncate(parsed) : absent),
            double d => double.IsFinite(d) ? Truncate(d) : absent,
            var other => PyTypes.AsInteger(other) is { } n ? PyTypes.FromInteger(n) : absent,
        };
    }

    public static object? Float(RenderContext context, object? value, Arguments arguments)
    {
        var absent = arguments.Take("default", absent: 0.0);
        return PyTypes.Defined(value) is string text ? ParseFloat(text) ?? absent : PyTypes.AsDouble(value) ?? absent;
    }

    public static object Abs(RenderContext context, object? value, Arguments arguments)
    {
        if (PyTypes.AsInteger(PyTypes.Defined(value)) is { } n) return PyTypes.FromInteger(BigInteger.Abs(n));
        return value is double d ? Math.Abs(d) : throw new TemplateError($"bad operand type for abs(): '{PyTypes.Name(value)}'");
    }

    public static object Round(RenderContext context, object? value, Arguments arguments)
    {
        var precision = (int)Math.Clamp(arguments.TakeInt("precision", 0), -400, 400);
        var method = arguments.TakeString("method", "common");
        var number = PyTypes.AsDouble(PyTypes.Defined(value)) ?? throw new TemplateError($"type {PyTypes.Name(value)} doesn't define __round__ method");
        var scale = Math.Pow(10, precision);
        return method switch
        {
            "common" => value is double ? PyNumbers.Round(number, precision) : PyTypes.FromInteger(precision >= 0 ? PyTypes.AsInteger(value)!.Value : new BigInteger(PyNumbers.Round(number, precision))),
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            _ => throw new TemplateError("method must be common, ceil or floor"),
        };
    }

    public static object? Sum(RenderContext context, object? value, Arguments arguments)
    {
        var path = arguments.Take("attribute", absent: null);
        var start = arguments.Take("start", absent: 0L);
        return PyTypes.Iterate(context, value).Select(item => path is null ? item : Members.Path(item, path))
            .Aggregate(start, (sum, item) => PyOperators.Apply(context, "+", sum, item));
    }

    /// <summary>int(text, radix), null where Python raises.</summary>
    public static object? ParseInt(string text, int radix)
    {
        var digits = text.Trim().ToLowerInvariant();
        var negative = digits.StartsWith('-');
        if (digits.StartsWith('-') || digits.StartsWith('+')) digits = digits[1..];
        if ((radix, digits) is (16, ['0', 'x', ..]) or (8, ['0', 'o', ..]) or (2, ['0', 'b', ..])) digits = digits[2..];
        if (digits.Length is 0 or > 1000 || digits.StartsWith('_') || digits.EndsWith('_') || digits.Contains("__", StringComparison.Ordinal)) return null;
        var value = BigInteger.Zero;
        foreach (var c in digits)
        {
            if (c == '_') continue;
            var digit = char.IsAsciiDigit(c) ? c - '0' : char.IsAsciiLetterLower(c) ? c - 'a' + 10 : int.MaxValue;
            if (digit >= radix) return null;
            value = value * radix + digit;
        }
        return PyTypes.FromInteger(negative ? -value : value);
    }

    private static double? ParseFloat(string text)
    {
        text = text.Trim();
        switch (text.TrimStart('+', '-').ToUpperInvariant())
        {
            case "NAN": return double.NaN;
            case "INF" or "INFINITY": return text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
        }
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(text, Style, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    private static object Truncate(double value) => PyTypes.FromInteger(new BigInteger(Math.Truncate(value)));
}
