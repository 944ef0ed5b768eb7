using System.Text;

namespace NanoAspire.Engine.Text.Patterns;

/// <summary>Simple Unicode case folding, for <c>(?i)</c>.</summary>
internal static class CaseFolding
{
    /// <summary>The characters that equal <paramref name="point"/>, as ranges; only itself when <paramref name="fold"/> is false.</summary>
    public static IEnumerable<(int First, int Last)> Variants(int point, bool fold)
    {
        yield return (point, point);
        if (!fold || !Rune.TryCreate(point, out var rune)) yield break;
        var lower = Rune.ToLowerInvariant(rune).Value;
        var upper = Rune.ToUpperInvariant(rune).Value;
        if (lower != point) yield return (lower, lower);
        if (upper != point) yield return (upper, upper);

        // The three letters that fold to Latin letters without being their case pair: long s, the Kelvin and the Ångström sign.
        var sign = lower switch { 's' => 0x17F, 'k' => 0x212A, 0xE5 => 0x212B, _ => 0 };
        if (sign != 0) yield return (sign, sign);
    }
}
