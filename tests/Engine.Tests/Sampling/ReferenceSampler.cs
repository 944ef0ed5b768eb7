using NanoAspire.Engine.Sampling;

namespace NanoAspire.Engine.Tests.Sampling;

/// <summary>The sampler as one would explain it: a full sort, everything in double. Slow on purpose.</summary>
internal static class ReferenceSampler
{
    public static int Sample(float[] logits, SamplingParams p, int[] tokens, int promptLength, int[] stopIds, ulong key)
    {
        var probabilities = Distribution(logits, p, tokens, promptLength, stopIds);
        var u = CounterRandom.Uniform(key, tokens.Length);
        double sum = 0;
        for (var id = 0; id < probabilities.Length; id++)
        {
            sum += probabilities[id];
            if (u < sum) return id;
        }
        return Array.FindLastIndex(probabilities, q => q > 0);
    }

    /// <summary>The probability of each token after every filter.</summary>
    public static double[] Distribution(float[] logits, SamplingParams p, int[] tokens, int promptLength, int[] stopIds)
    {
        var scores = (float[])logits.Clone();
        foreach (var (id, bias) in p.LogitBias) scores[id] += bias;
        foreach (var id in tokens.Distinct()) scores[id] = scores[id] > 0 ? scores[id] / p.RepetitionPenalty : scores[id] * p.RepetitionPenalty;
        foreach (var group in tokens.Skip(promptLength).GroupBy(id => id)) scores[group.Key] -= p.PresencePenalty + p.FrequencyPenalty * group.Count();
        if (tokens.Length - promptLength < p.MinTokens) foreach (var id in stopIds) scores[id] = float.NegativeInfinity;

        var ranked = Enumerable.Range(0, scores.Length).OrderByDescending(id => scores[id]).ThenBy(id => id).ToList();
        var result = new double[scores.Length];
        if (p.Greedy)
        {
            result[ranked[0]] = 1;
            return result;
        }

        if (p.TopK > 0) ranked = [.. ranked.Take(p.TopK)];
        var best = (double)scores[ranked[0]];
        double Weight(int id) => Math.Exp((scores[id] - best) / p.Temperature);
        var total = ranked.Sum(Weight);
        double mass = 0;
        var nucleus = new List<int>();
        foreach (var id in ranked)
        {
            nucleus.Add(id);
            if ((mass += Weight(id)) >= p.TopP * total && p.TopP < 1) break;
        }
        nucleus.RemoveAll(id => Weight(id) < p.MinP);
        total = nucleus.Sum(Weight);
        foreach (var id in nucleus) result[id] = Weight(id) / total;
        return result;
    }
}
