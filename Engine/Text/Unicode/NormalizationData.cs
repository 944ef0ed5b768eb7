using System.Collections.Frozen;
using System.Globalization;

namespace NanoAspire.Engine.Text.Unicode;

/// <summary>
/// The tables behind <see cref="UnicodeNormalizer"/>, read once from the embedded <c>normalization.txt</c>.
/// They are ours because <see cref="string.Normalize()"/> returns its input unchanged under InvariantGlobalization.
/// </summary>
internal sealed class NormalizationData
{
    private static readonly Lazy<NormalizationData> Loaded = new(() => new NormalizationData());

    private NormalizationData()
    {
        var classes = new Dictionary<int, byte>();
        var canonical = new Dictionary<int, int[]>();
        var compatible = new Dictionary<int, int[]>();
        var compositions = new Dictionary<(int, int), int>();

        using var stream = typeof(NormalizationData).Assembly.GetManifestResourceStream("normalization.txt")
            ?? throw new InvalidOperationException("The resource normalization.txt is not in the assembly.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#')) continue;
            var fields = line.Split(' ');
            var (first, last) = Range(fields[1]);
            if (fields[0] == "O")
            {
                for (var c = first; c <= last; c++) classes[c] = byte.Parse(fields[2], CultureInfo.InvariantCulture);
                continue;
            }
            var mapped = Array.ConvertAll(fields[2..], Hex);
            switch (fields[0])
            {
                case "C":
                    canonical[first] = mapped;
                    compositions[(mapped[0], mapped[1])] = first;
                    break;
                case "D":
                    canonical[first] = mapped;
                    break;
                default:
                    for (var c = first; c <= last; c++) compatible[c] = [mapped[0] + c - first, .. mapped[1..]];
                    break;
            }
        }
        Classes = classes.ToFrozenDictionary();
        Canonical = canonical.ToFrozenDictionary();
        Compatible = compatible.ToFrozenDictionary();
        Compositions = compositions.ToFrozenDictionary();
        ComposesWithPrevious = compositions.Keys.Select(pair => pair.Item2).ToFrozenSet();
        ChangesInNfc = canonical.Keys.Except(compositions.Values).ToFrozenSet();
    }

    public static NormalizationData Instance => Loaded.Value;

    /// <summary>Canonical combining classes other than 0.</summary>
    public FrozenDictionary<int, byte> Classes { get; }

    /// <summary>One level of canonical decomposition.</summary>
    public FrozenDictionary<int, int[]> Canonical { get; }

    /// <summary>One level of compatibility decomposition, of characters that have no canonical one.</summary>
    public FrozenDictionary<int, int[]> Compatible { get; }

    public FrozenDictionary<(int, int), int> Compositions { get; }

    /// <summary>Characters that may be the second of a composition: their presence alone says nothing about NFC.</summary>
    public FrozenSet<int> ComposesWithPrevious { get; }

    /// <summary>Characters that never appear in NFC.</summary>
    public FrozenSet<int> ChangesInNfc { get; }

    private static (int First, int Last) Range(string field)
    {
        var dash = field.IndexOf('-', StringComparison.Ordinal);
        return dash < 0 ? (Hex(field), Hex(field)) : (Hex(field[..dash]), Hex(field[(dash + 1)..]));
    }

    private static int Hex(string field) => int.Parse(field, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
