namespace NanoAspire.Engine.Text.Grammar.Automata;

/// <summary>A set of byte values.</summary>
internal readonly record struct ByteSet(ulong A, ulong B, ulong C, ulong D)
{
    public static ByteSet Of(byte value) => Range(value, value);

    /// <summary>Both ends included.</summary>
    public static ByteSet Range(byte first, byte last)
    {
        var set = default(ByteSet);
        for (int value = first; value <= last; value++) set = set.With((byte)value);
        return set;
    }

    /// <summary>The bytes of an ASCII text.</summary>
    public static ByteSet OfAny(ReadOnlySpan<byte> values)
    {
        var set = default(ByteSet);
        foreach (var value in values) set = set.With(value);
        return set;
    }

    public static ByteSet operator |(ByteSet x, ByteSet y) => new(x.A | y.A, x.B | y.B, x.C | y.C, x.D | y.D);
    public static ByteSet operator ~(ByteSet x) => new(~x.A, ~x.B, ~x.C, ~x.D);
    public static ByteSet operator &(ByteSet x, ByteSet y) => new(x.A & y.A, x.B & y.B, x.C & y.C, x.D & y.D);

    public bool IsEmpty => (A | B | C | D) == 0;

    public bool Contains(byte value) => ((value >> 6) switch { 0 => A, 1 => B, 2 => C, _ => D } >> (value & 63) & 1) != 0;

    private ByteSet With(byte value)
    {
        var bit = 1UL << (value & 63);
        return (value >> 6) switch { 0 => this with { A = A | bit }, 1 => this with { B = B | bit }, 2 => this with { C = C | bit }, _ => this with { D = D | bit } };
    }
}
