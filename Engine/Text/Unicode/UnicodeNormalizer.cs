using System.Text;

namespace NanoAspire.Engine.Text.Unicode;

/// <summary>
/// NFC, NFD, NFKC and NFKD (Unicode Standard Annex 15) without ICU. Text must be well-formed UTF-16.
/// </summary>
internal static class UnicodeNormalizer
{
    private const int HangulBase = 0xAC00, LBase = 0x1100, VBase = 0x1161, TBase = 0x11A7, LCount = 19, VCount = 21, TCount = 28;

    public static string Normalize(string text, NormalizationForm form)
    {
        var compose = form is NormalizationForm.FormC or NormalizationForm.FormKC;
        var compatible = form is NormalizationForm.FormKC or NormalizationForm.FormKD;
        if (Unchanged(text, compose, compatible)) return text;

        var points = Decompose(text, compatible);
        Order(points);
        if (compose) Compose(points);
        var result = new StringBuilder(text.Length);
        foreach (var point in points) AppendPoint(result, point);
        return result.ToString();
    }

    /// <summary>True only when the text is certainly normal already: what chat traffic nearly always is.</summary>
    private static bool Unchanged(string text, bool compose, bool compatible)
    {
        // Below U+0300 nothing combines, and NFC forms of Latin-1 and Latin Extended are themselves.
        var limit = compose && !compatible ? '\u0300' : '\u0080';
        var i = 0;
        while (i < text.Length && text[i] < limit) i++;
        if (i == text.Length) return true;
        if (!compose || compatible) return false;

        var data = NormalizationData.Instance;
        foreach (var rune in text.AsSpan(i).EnumerateRunes())
        {
            var point = rune.Value;
            if (point < 0x300) continue;
            if (data.Classes.ContainsKey(point) || data.ComposesWithPrevious.Contains(point) || data.ChangesInNfc.Contains(point)) return false;
            if (point is (>= VBase and < VBase + VCount) or (> TBase and < TBase + TCount)) return false;
        }
        return true;
    }

    private static List<int> Decompose(string text, bool compatible)
    {
        var data = NormalizationData.Instance;
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) Add(rune.Value);
        return points;

        void Add(int point)
        {
            if (point is >= HangulBase and < HangulBase + LCount * VCount * TCount)
            {
                var index = point - HangulBase;
                points.Add(LBase + index / (VCount * TCount));
                points.Add(VBase + index / TCount % VCount);
                if (index % TCount != 0) points.Add(TBase + index % TCount);
            }
            else if (data.Canonical.TryGetValue(point, out var parts) || (compatible && data.Compatible.TryGetValue(point, out parts)))
            {
                foreach (var part in parts) Add(part);               // the tables hold one level
            }
            else
            {
                points.Add(point);
            }
        }
    }

    /// <summary>Sorts each run of combining marks by class, stably.</summary>
    private static void Order(List<int> points)
    {
        for (var i = 0; i < points.Count; i++)
        {
            if (Class(points[i]) == 0) continue;
            var start = i;
            while (i < points.Count && Class(points[i]) != 0) i++;
            if (i - start < 2) continue;
            var sorted = points.GetRange(start, i - start).OrderBy(Class).ToArray();
            for (var k = 0; k < sorted.Length; k++) points[start + k] = sorted[k];
        }
    }

    private static void Compose(List<int> points)
    {
        var data = NormalizationData.Instance;
        var starter = -1;
        var lastClass = 0;                                           // of the last kept character after the starter
        var kept = 0;
        for (var i = 0; i < points.Count; i++)
        {
            var point = points[i];
            var combining = Class(point);
            var adjacent = starter == kept - 1;
            if (starter >= 0 && (adjacent || lastClass < combining) && Pair(data, points[starter], point) is { } composed)
            {
                points[starter] = composed;
                continue;
            }
            if (combining == 0) starter = kept;
            lastClass = combining;
            points[kept++] = point;
        }
        points.RemoveRange(kept, points.Count - kept);
    }

    private static int? Pair(NormalizationData data, int first, int second)
    {
        if (first is >= LBase and < LBase + LCount && second is >= VBase and < VBase + VCount)
        {
            return HangulBase + ((first - LBase) * VCount + second - VBase) * TCount;
        }
        if (first is >= HangulBase and < HangulBase + LCount * VCount * TCount && (first - HangulBase) % TCount == 0
            && second is > TBase and < TBase + TCount)
        {
            return first + second - TBase;
        }
        return data.Compositions.TryGetValue((first, second), out var composed) ? composed : null;
    }

    private static int Class(int point) => point < 0x300 ? 0 : NormalizationData.Instance.Classes.GetValueOrDefault(point);

    private static void AppendPoint(StringBuilder builder, int point)
    {
        Span<char> units = stackalloc char[2];
        builder.Append(units[..new Rune(point).EncodeToUtf16(units)]);
    }
}
