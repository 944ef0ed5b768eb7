namespace NanoAspire.Engine.Sampling;

/// <summary>
/// Chooses the next token from a row of logits [vocab]. In this order: logit bias; repetition, presence and frequency penalties;
/// no end before min_tokens; then greedy (the lowest id among the largest), or temperature, top-k, top-p over what top-k left, min-p, draw.
/// Log-probabilities are those of the model: the log-softmax of the row as it came, before any of this.
/// Not thread-safe: it owns its scratch memory, O(vocab).
/// </summary>
internal sealed class Sampler(int vocabSize)
{
    private readonly Penalties _penalties = new(vocabSize);
    private readonly float[] _scores = new float[vocabSize];
    private readonly double[] _weights = new double[vocabSize];
    private readonly int[] _ids = new int[vocabSize];

    /// <summary>Null when the row allows no choice: it has a NaN or +∞, or every token is ruled out.</summary>
    public SampledToken? Sample(ReadOnlySpan<float> logits, in SamplingContext context)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(logits.Length, vocabSize);
        if (!LogitScan.TryMax(logits, out var rawMax)) return null;

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

    private int Draw(ReadOnlySpan<float> scores, float max, in SamplingContext context)
    {
        var p = context.Params;
        var cut = p.TopK > 0 && p.TopK < vocabSize ? TokenCut.Best(AllIds(), scores, p.TopK) : TokenCut.KeepAll;
        var total = Weigh(scores, max, p.Temperature, cut);
        if (p.TopP < 1)
        {
            cut = TokenCut.Mass(KeptIds(scores, cut), scores, _weights, p.TopP * total);
            total = Drop(scores, cut, minWeight: 0);
        }
        if (p.MinP > 0) total = Drop(scores, cut, p.MinP);  // the best token weighs 1, so weights are ratios to it

        var target = CounterRandom.Uniform(context.Key, context.Tokens.Length) * total;
        var last = -1;
        for (var id = 0; id < vocabSize; id++)              // by id, whatever the filters: one draw, one meaning
        {
            if (_weights[id] <= 0) continue;
            target -= _weights[id];
            if (target < 0) return id;
            last = id;
        }
        return last;
    }

    /// <summary>Unnormalised probabilities relative to the best token's; 0 behind the cut.</summary>
    private double Weigh(ReadOnlySpan<float> scores, float max, float temperature, TokenCut cut)
    {
        double total = 0;
        for (var id = 0; id < scores.Length; id++)
        {
            var weight = cut.Keeps(scores[id], id) ? Math.Exp(((double)scores[id] - max) / temperature) : 0;
            total += _weights[id] = weight;
        }
        return total;
    }

    private double Drop(ReadOnlySpan<float> scores, TokenCut cut, double minWeight)
    {
        double total = 0;
        for (var id = 0; id < scores.Length; id++)
        {
            if (_weights[id] < minWeight || !cut.Keeps(scores[id], id)) _weights[id] = 0;
            total += _weights[id];
        }
        return total;
    }

    private Span<int> AllIds()
    {
        for (var id = 0; id < _ids.Length; id++) _ids[id] = id;
        return _ids;
    }

    private Span<int> KeptIds(ReadOnlySpan<float> scores, TokenCut cut)
    {
        var kept = 0;
        for (var id = 0; id < _ids.Length; id++)
        {
            if (_weights[id] > 0 && cut.Keeps(scores[id], id)) _ids[kept++] = id;
        }
        return _ids.AsSpan(0, kept);
    }
}
