using System.Globalization;
using System.Numerics;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>Arithmetic and the printing of numbers, as Python does them.</summary>
internal static class PyNumbers
{
    /// <summary>Digits that an integer may grow to; a template that wants more is broken.</summary>
    private const long MaxBits = 100_000;

    public static object Calculate(string op, object? left, object? right)
    {
        _ = (PyTypes.Defined(left), PyTypes.Defined(right));
        if (PyTypes.AsInteger(left) is { } a && PyTypes.AsInteger(right) is { } b) return Integers(op, a, b);
        if (PyTypes.AsDouble(left) is { } x && PyTypes.AsDouble(right) is { } y) return Doubles(op, x, y);
        throw new TemplateError($"unsupported operand type(s) for {op}: '{PyTypes.Name(left)}' and '{PyTypes.Name(right)}'");
    }

    /// <summary>repr() of a float: the shortest digits that read back, with an exponent below 1e-4 and from 1e16 on.</summary>
    public static string Repr(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        if (value == 0) return double.IsNegative(value) ? "-0.0" : "0.0";

        var parts = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture).Split('E');
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var all = parts[0].Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        var exponent = (point < 0 ? all.Length : point) - 1 - (all.Length - digits.Length)
            + (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
        digits = digits.TrimEnd('0');
        var sign = value < 0 ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return string.Create(CultureInfo.InvariantCulture, $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
        }
        if (exponent < 0) return sign + "0." + new string('0', -exponent - 1) + digits;
        return digits.Length <= exponent + 1
            ? sign + digits.PadRight(exponent + 1, '0') + ".0"
            : sign + digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }

    /// <summary>The value with so many decimals, exact halves to the even digit.</summary>
    public static string Fixed(double value, int decimals)
    {
        if (!double.IsFinite(value)) return Repr(value);
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)(bits >> 52 & 0x7FF);
        BigInteger mantissa = bits & 0xFFFFFFFFFFFFF;
        if (exponent == 0) exponent++;
        else mantissa += BigInteger.One << 52;
        exponent -= 1075;
        var (numerator, denominator) = (mantissa * BigInteger.Pow(10, decimals), BigInteger.One);
        if (exponent > 0) numerator <<= exponent;
        else denominator <<= -exponent;
        var digits = DivideHalfEven(numerator, denominator).ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        var sign = value < 0 || double.IsNegative(value) ? "-" : "";
        return decimals == 0 ? sign + digits : $"{sign}{digits[..^decimals]}.{digits[^decimals..]}";
    }

    /// <summary>round(value, decimals); negative decimals round to tens, hundreds …</summary>
    public static double Round(double value, int decimals)
    {
        if (!double.IsFinite(value)) return value;
        if (decimals > 400) return value;
        if (decimals >= 0) return double.Parse(Fixed(value, decimals), CultureInfo.InvariantCulture);
        if (decimals < -308) return 0;
        var unit = BigInteger.Pow(10, -decimals);
        var whole = new BigInteger(Math.Truncate(value));
        var up = DivideHalfEven(BigInteger.Abs(whole), unit) * unit;
        return (double)(value < 0 ? -up : up);
    }

    private static BigInteger DivideHalfEven(BigInteger numerator, BigInteger denominator)
    {
        var quotient = BigInteger.DivRem(numerator, denominator, out var rest);
        var half = (rest * 2).CompareTo(denominator);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    private static object Integers(string op, BigInteger a, BigInteger b)
    {
        switch (op)
        {
            case "+": return PyTypes.FromInteger(a + b);
            case "-": return PyTypes.FromInteger(a - b);
            case "*": return PyTypes.FromInteger(Bounded(a.GetBitLength() + b.GetBitLength(), () => a * b));
            case "/": return b.IsZero ? throw new TemplateError("division by zero") : (double)a / (double)b;
            case "//": return PyTypes.FromInteger(FloorDivide(a, b));
            case "%": return PyTypes.FromInteger(a - FloorDivide(a, b) * b);
            default:
                if (b.Sign < 0) return Doubles(op, (double)a, (double)b);
                return PyTypes.FromInteger(Bounded(b > MaxBits && BigInteger.Abs(a) > 1 ? long.MaxValue : a.GetBitLength() * (long)BigInteger.Min(b, MaxBits), () => Power(a, b)));
        }
    }

    private static BigInteger Power(BigInteger a, BigInteger b) =>
        BigInteger.Abs(a) <= 1 ? (a.Sign >= 0 || !b.IsEven ? (b.IsZero ? 1 : a) : 1) : BigInteger.Pow(a, (int)b);

    private static BigInteger Bounded(long bits, Func<BigInteger> result) =>
        bits <= MaxBits ? result() : throw new TemplateError("an integer becomes too large");

    private static BigInteger FloorDivide(BigInteger a, BigInteger b)
    {
        if (b.IsZero) throw new TemplateError("integer division or modulo by zero");
        var quotient = BigInteger.DivRem(a, b, out var rest);
        return !rest.IsZero && rest.Sign != b.Sign ? quotient - 1 : quotient;
    }

    private static double Doubles(string op, double x, double y)
    {
        if (y == 0 && op is "/" or "//" or "%") throw new TemplateError("float division by zero");
        return op switch
        {
            "+" => x + y,
            "-" => x - y,
            "*" => x * y,
            "/" => x / y,
            "//" => Math.Round((x - Modulo(x, y)) / y),
            "%" => Modulo(x, y),
            _ => Math.Pow(x, y),
        };
    }

    /// <summary>The remainder with the sign of the divisor.</summary>
    private static double Modulo(double x, double y)
    {
        var rest = x % y;
        return rest != 0 && rest < 0 != y < 0 ? rest + y : rest;
    }
}
