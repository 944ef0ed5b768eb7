namespace NanoAspire.Engine.Sampling;

/// <summary>
/// Where a ranking of tokens is cut off. Tokens rank by falling score, the lower id first among equals; the cut names the last token kept.
/// </summary>
internal readonly record struct TokenCut(float Score, int Id)
{
    public static TokenCut KeepAll { get; } = new(float.NegativeInfinity, int.MaxValue);

    public bool Keeps(float score, int id) => score > Score || (score == Score && id <= Id);

    /// <summary>The best <paramref name="count"/> of <paramref name="ids"/>, which are reordered.</summary>
    public static TokenCut Best(Span<int> ids, ReadOnlySpan<float> scores, int count) => Find(ids, scores, [], count);

    /// <summary>The shortest ranking prefix of <paramref name="ids"/> (reordered) whose weights add up to <paramref name="mass"/>.</summary>
    public static TokenCut Mass(Span<int> ids, ReadOnlySpan<float> scores, ReadOnlySpan<double> weights, double mass) => Find(ids, scores, weights, mass);

    /// <summary>Quickselect by weight: expected O(n), because only the part that holds the cut is looked at again.</summary>
    private static TokenCut Find(Span<int> ids, ReadOnlySpan<float> scores, ReadOnlySpan<double> weights, double target)
    {
        while (ids.Length > 0)
        {
            var middle = Partition(ids, scores);
            var before = Weight(ids[..middle], weights);
            var pivot = ids[middle];
            if (before >= target && middle > 0)
            {
                ids = ids[..middle];
                continue;
            }
            before += Weight(ids.Slice(middle, 1), weights);
            if (before >= target) return new(scores[pivot], pivot);
            target -= before;
            ids = ids[(middle + 1)..];
        }
        return KeepAll;                                    // rounding: all weights together fall short of the target
    }

    private static double Weight(ReadOnlySpan<int> ids, ReadOnlySpan<double> weights)
    {
        if (weights.IsEmpty) return ids.Length;
        double sum = 0;
        foreach (var id in ids) sum += weights[id];
        return sum;
    }

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

    private static bool Precedes(int a, int b, ReadOnlySpan<float> scores) => scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
}
