using System.Globalization;
using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>A bound of a number.</summary>
internal readonly record struct Bound(decimal Value, bool Exclusive)
{
    public Bound Negated => this with { Value = -Value };
}

/// <summary>
/// Numbers between two bounds, digit by digit, without exponents. At most <see cref="JsonRules.NumberDigits"/> significant digits, so that
/// a reader's double stays on the right side of a bound.
/// </summary>
internal sealed class NumberRules(GrammarBuilder builder)
{
    private static readonly decimal LargestInteger = (decimal)Math.Pow(10, JsonRules.IntegerDigits) - 1;
    private static readonly decimal LargestNumber = (decimal)Math.Pow(10, JsonRules.NumberDigits - 1) - 1;

    public void Integers(Bound? min, Bound? max, GrammarState from, GrammarState to)
    {
        var low = Math.Max(min is { } a ? (a.Exclusive ? Math.Floor(a.Value) + 1 : Math.Ceiling(a.Value)) : decimal.MinValue, -LargestInteger);
        var high = Math.Min(max is { } b ? (b.Exclusive ? Math.Ceiling(b.Value) - 1 : Math.Floor(b.Value)) : decimal.MaxValue, LargestInteger);
        if (low <= high && high >= 0) WholeNumbers(Math.Max(low, 0), high, from, to);
        if (low <= high && low < 0) WholeNumbers(Math.Max(-high, 1), -low, builder.Text(from, "-"), to);
    }

    public void Numbers(Bound? min, Bound? max, GrammarState from, GrammarState to)
    {
        var zero = new Bound(0, Exclusive: false);
        if (max is null or { Value: > 0 } or { Value: 0, Exclusive: false }) Magnitudes(min is { Value: >= 0 } ? min.Value : zero, max, from, to);
        if (min is { Value: >= 0 }) return;
        Magnitudes(max is { Value: < 0 } ? max.Value.Negated : zero with { Exclusive = true }, min?.Negated, builder.Text(from, "-"), to);
    }

    /// <summary>Numbers without a sign; <paramref name="min"/> is not negative.</summary>
    private void Magnitudes(Bound min, Bound? max, GrammarState from, GrammarState to)
    {
        if (min.Value > LargestNumber) return;
        if (max?.Value > LargestNumber) max = null;
        var (low, lowFraction) = Split(min.Value);
        var (high, highFraction) = max is { } bound ? Split(bound.Value) : (LargestNumber + 1, "");
        if (low > high) return;
        if (low == high)
        {
            Fractions(low, lowFraction, min.Exclusive, highFraction, max?.Exclusive ?? false, from, to);
            return;
        }
        Fractions(low, lowFraction, min.Exclusive, null, false, from, to);
        if (max is not null) Fractions(high, null, false, highFraction, max.Value.Exclusive, from, to);
        for (var (first, digits) = (low + 1, Length(low + 1)); first < high; digits++)
        {
            var last = Math.Min(high - 1, (decimal)Math.Pow(10, digits) - 1);
            var whole = builder.State();
            WholeNumbers(first, last, from, whole);
            AnyFraction(whole, JsonRules.NumberDigits - digits, to);
            first = last + 1;
        }
    }

    /// <summary>One whole part with the fractions between two bounds; a null bound is none.</summary>
    private void Fractions(decimal whole, string? low, bool lowExclusive, string? high, bool highExclusive, GrammarState from, GrammarState to)
    {
        var most = JsonRules.NumberDigits - Length(whole);
        var nodes = new Dictionary<(int, bool, bool), GrammarState>();
        var start = builder.Text(from, whole.ToString(CultureInfo.InvariantCulture));
        if (Fits(0, low is not null, high is not null)) GrammarBuilder.Skip(start, to);
        Grow(builder.Text(start, "."), 0, low is not null, high is not null);

        // After `count` digits, `atLow` and `atHigh` say that they are those of the bound so far.
        bool Fits(int count, bool atLow, bool atHigh) =>
            (!atLow || (count >= low!.Length && !lowExclusive)) && (!atHigh || count < high!.Length || !highExclusive);

        void Grow(GrammarState state, int count, bool atLow, bool atHigh)
        {
            if (count == most) return;
            var first = atLow && count < low!.Length ? low[count] : '0';
            var last = atHigh ? (count < high!.Length ? high[count] : '0') : '9';
            for (var digit = first; digit <= last; digit++)
            {
                var key = (count + 1, atLow && digit == first, atHigh && digit == last);
                if (!nodes.TryGetValue(key, out var next))
                {
                    nodes[key] = next = builder.State();
                    if (Fits(key.Item1, key.Item2, key.Item3)) GrammarBuilder.Skip(next, to);
                    Grow(next, key.Item1, key.Item2, key.Item3);
                }
                GrammarBuilder.Bytes(state, ByteSet.Of((byte)digit), next);
            }
        }
    }

    private void AnyFraction(GrammarState from, int most, GrammarState to)
    {
        GrammarBuilder.Skip(from, to);
        var at = builder.Text(from, ".");
        for (; most > 0; most--)
        {
            at = builder.One(at, Digits('0', '9'));
            GrammarBuilder.Skip(at, to);
        }
    }

    /// <summary>Whole numbers in [low, high], neither negative, without leading zeros.</summary>
    private void WholeNumbers(decimal low, decimal high, GrammarState from, GrammarState to)
    {
        while (low <= high)
        {
            var digits = Length(low);
            var last = Math.Min(high, (decimal)Math.Pow(10, digits) - 1);
            var tails = new GrammarState?[digits + 1];
            tails[0] = to;
            SameLength(Text(low), Text(last), from, tails);
            low = last + 1;
        }
    }

    /// <summary>Digit strings of one length between two of them.</summary>
    private void SameLength(string low, string high, GrammarState from, GrammarState?[] tails)
    {
        var (first, last, rest) = (low[0], high[0], low.Length - 1);
        if (rest == 0)
        {
            GrammarBuilder.Bytes(from, Digits(first, last), tails[0]!);
            return;
        }
        var (wholeFirst, wholeLast) = (low.AsSpan(1).IndexOfAnyExcept('0') < 0, high.AsSpan(1).IndexOfAnyExcept('9') < 0);
        if (first == last && !(wholeFirst && wholeLast))
        {
            SameLength(low[1..], high[1..], builder.One(from, Digits(first, first)), tails);
            return;
        }
        if (!wholeFirst)
        {
            SameLength(low[1..], new('9', rest), builder.One(from, Digits(first, first)), tails);
            first++;
        }
        if (!wholeLast)
        {
            SameLength(new('0', rest), high[1..], builder.One(from, Digits(last, last)), tails);
            last--;
        }
        if (first <= last) GrammarBuilder.Bytes(from, Digits(first, last), Tail(rest, tails));
    }

    private GrammarState Tail(int length, GrammarState?[] tails)
    {
        if (tails[length] is { } known) return known;
        var state = builder.State();
        GrammarBuilder.Bytes(state, Digits('0', '9'), Tail(length - 1, tails));
        return tails[length] = state;
    }

    private static (decimal Whole, string Fraction) Split(decimal value)
    {
        var whole = Math.Truncate(value);
        var text = (value - whole).ToString(CultureInfo.InvariantCulture);
        return (whole, text.Length > 2 ? text[2..].TrimEnd('0') : "");
    }

    private static int Length(decimal whole) => Text(whole).Length;
    private static string Text(decimal whole) => Math.Truncate(whole).ToString("0", CultureInfo.InvariantCulture);
    private static ByteSet Digits(char first, char last) => ByteSet.Range((byte)first, (byte)last);
}
