namespace NanoAspire.Engine.Sampling;

/// <summary>Top-p: the shortest prefix of the ranking (falling score, the lower id first among equals) that has the wanted mass.</summary>
internal static class Nucleus
{
    /// <summary>Quickselect by weight: expected O(n), because only the part that holds the end of the prefix is looked at again.</summary>
    /// <param name="ids">Candidates; reordered.</param>
    /// <param name="scores">[vocab], the ranking.</param>
    /// <param name="weights">[vocab], what adds up to <paramref name="mass"/>.</param>
    /// <param name="mass">More than 0.</param>
    /// <returns>The last token of the prefix, or -1 when rounding leaves even all of them short of the mass.</returns>
    public static int Last(Span<int> ids, ReadOnlySpan<float> scores, ReadOnlySpan<double> weights, double mass)
    {
        while (ids.Length > 0)
        {
            var middle = Partition(ids, scores);
            double before = 0;
            foreach (var id in ids[..middle]) before += weights[id];
            if (before >= mass && middle > 0)
            {
                ids = ids[..middle];
                continue;
            }
            var pivot = ids[middle];
            before += weights[pivot];
            if (before >= mass) return pivot;
            mass -= before;
            ids = ids[(middle + 1)..];
        }
        return -1;
    }

    /// <summary>True when <paramref name="a"/> ranks before <paramref name="b"/>.</summary>
    public static bool Precedes(int a, int b, ReadOnlySpan<float> scores) => scores[a] > scores[b] || (scores[a] == scores[b] && a < b);

    /// <summary>Puts a median of three in its place, better ones before it, worse ones after it.</summary>
    private static int Partition(Span<int> ids, ReadOnlySpan<float> scores)
    {
        var last = ids.Length - 1;
        var half = last / 2;
        if (Precedes(ids[half], ids[0], scores)) (ids[half], ids[0]) = (ids[0], ids[half]);
        if (Precedes(ids[last], ids[0], scores)) (ids[last], ids[0]) = (ids[0], ids[last]);
        if (Precedes(ids[half], ids[last], scores)) (ids[half], ids[last]) = (ids[last], ids[half]);   // the median is now last

        var pivot = ids[last];
        var place = 0;
        for (var i = 0; i < last; i++)
        {
            if (!Precedes(ids[i], pivot, scores)) continue;
            (ids[i], ids[place]) = (ids[place], ids[i]);
            place++;
        }
        (ids[place], ids[last]) = (ids[last], ids[place]);
        return place;
    }
}
