using System.Numerics;
using System.Runtime.InteropServices;

namespace NanoAspire.Engine.Sampling;

/// <summary>One pass over a row of logits.</summary>
internal static class LogitScan
{
    /// <summary>The largest value. False when a token cannot be chosen by it: a NaN or +∞ somewhere, or nothing but −∞.</summary>
    public static bool TryMax(ReadOnlySpan<float> row, out float max)
    {
        max = float.NegativeInfinity;
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(row);
        var largest = new Vector<float>(max);
        var numbers = new Vector<int>(-1);
        foreach (var v in vectors)
        {
            numbers &= Vector.Equals(v, v);                // a NaN is not equal to itself
            largest = Vector.Max(largest, v);
        }
        if (!Vector.EqualsAll(numbers, new Vector<int>(-1))) return false;
        for (var i = 0; i < Vector<float>.Count; i++) max = Math.Max(max, largest[i]);
        foreach (var v in row[(vectors.Length * Vector<float>.Count)..]) max = Math.Max(max, v);   // Math.Max hands a NaN on
        return float.IsFinite(max);
    }

    /// <summary>Lowest index of a value equal to <paramref name="value"/>, which is in the row.</summary>
    public static int IndexOf(ReadOnlySpan<float> row, float value)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(row);
        var wanted = new Vector<float>(value);
        var i = 0;
        foreach (var v in vectors)
        {
            if (Vector.EqualsAny(v, wanted)) break;
            i += Vector<float>.Count;
        }
        while (row[i] != value) i++;
        return i;
    }
}
