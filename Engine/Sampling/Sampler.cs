namespace NanoAspire.Engine.Sampling;

/// <summary>
/// Chooses the next token from a row of logits [vocab]. In this order: the constraint's mask; logit bias; repetition, presence and frequency penalties;
/// no end before min_tokens; then greedy (the lowest id among the largest), or temperature, top-k, top-p over what top-k left, min-p, draw.
/// Log-probabilities are those of the model: the log-softmax of the row as it came, before any of this but the mask. A token that
/// the constraint forbids has none, and those of the allowed ones add up to 1.
/// Not thread-safe: it owns its scratch memory, O(vocab).
/// </summary>
internal sealed class Sampler(int vocabSize)
{
    private readonly Penalties _penalties = new(vocabSize);
    private readonly float[] _scores = new float[vocabSize];
    private float[] _masked = [];
    private readonly double[] _weights = new double[vocabSize];
    private readonly int[] _ids = new int[vocabSize];
    private readonly int[] _ranked = new int[vocabSize];

    /// <summary>Null when the row allows no choice: it has a NaN or +∞, or every token is ruled out.</summary>
    public SampledToken? Sample(ReadOnlySpan<float> logits, in SamplingContext context)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(logits.Length, vocabSize);
        if (!LogitScan.TryMax(logits, out var rawMax)) return null;
        if (context.Allowed is not null)
        {
            logits = Mask(logits, context);
            if (!LogitScan.TryMax(logits, out rawMax)) return null;
        }

        var scores = logits;
        var max = rawMax;
        if (Penalties.AreNeeded(context))
        {
            logits.CopyTo(_scores);
            _penalties.Apply(_scores, context);
            scores = _scores;
            if (!LogitScan.TryMax(scores, out max)) return null;
        }

        var id = context.Params.Greedy ? LogitScan.IndexOf(scores, max) : Draw(scores, max, context);
        return context.Params.Logprobs is { } top ? Logprobs.Of(logits, rawMax, id, top) : new SampledToken(id);
    }

    private float[] Mask(ReadOnlySpan<float> logits, in SamplingContext context)
    {
        if (_masked.Length == 0) _masked = new float[vocabSize];
        context.Allowed!.Apply(logits, _masked);
        foreach (var id in context.StopIds)
        {
            if ((uint)id < (uint)vocabSize) _masked[id] = context.MayEnd ? logits[id] : float.NegativeInfinity;
        }
        return _masked;
    }

    private int Draw(ReadOnlySpan<float> scores, float max, in SamplingContext context)
    {
        var p = context.Params;
        var ids = Candidates(scores, p.TopK);
        double total = 0;
        foreach (var id in ids) total += _weights[id] = Math.Exp(((double)scores[id] - max) / p.Temperature);   // the best one weighs 1
        if (p.TopP < 1) total = KeepNucleus(ids, scores, p.TopP * total);
        if (p.MinP > 0) total = DropBelow(ids, p.MinP);

        var target = CounterRandom.Uniform(context.Key, context.Tokens.Length) * total;
        var last = -1;
        foreach (var id in ids)                            // by id, whatever the filters: one draw, one meaning
        {
            if (_weights[id] <= 0) continue;
            target -= _weights[id];
            if (target < 0) return id;
            last = id;
        }
        return last;
    }

    /// <summary>The k best tokens, or all; ascending.</summary>
    private Span<int> Candidates(ReadOnlySpan<float> scores, int k)
    {
        if (k > 0 && k < vocabSize)
        {
            TopK.Select(scores, _ids.AsSpan(0, k));
            return _ids.AsSpan(0, k);
        }
        for (var id = 0; id < _ids.Length; id++) _ids[id] = id;
        return _ids;
    }

    private double KeepNucleus(ReadOnlySpan<int> ids, ReadOnlySpan<float> scores, double mass)
    {
        var ranked = _ranked.AsSpan(0, ids.Length);
        ids.CopyTo(ranked);
        var cut = Nucleus.Last(ranked, scores, _weights, mass);
        double total = 0;
        foreach (var id in ids)
        {
            if (cut >= 0 && Nucleus.Precedes(cut, id, scores)) _weights[id] = 0;
            total += _weights[id];
        }
        return total;
    }

    private double DropBelow(ReadOnlySpan<int> ids, double weight)
    {
        double total = 0;
        foreach (var id in ids)
        {
            if (_weights[id] < weight) _weights[id] = 0;
            total += _weights[id];
        }
        return total;
    }
}
