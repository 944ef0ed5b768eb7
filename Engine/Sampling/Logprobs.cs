namespace NanoAspire.Engine.Sampling;

/// <summary>Log-probabilities of the model's own distribution.</summary>
internal static class Logprobs
{
    /// <param name="logits">The row as the model made it; finite or −∞.</param>
    /// <param name="max">Its largest value.</param>
    /// <param name="id">The sampled token.</param>
    /// <param name="top">How many of the most likely tokens to report; 0: none.</param>
    public static SampledToken Of(ReadOnlySpan<float> logits, float max, int id, int top)
    {
        double sum = 0;
        foreach (var logit in logits) sum += Math.Exp((double)logit - max);
        var logSum = max + Math.Log(sum);
        var logprob = (float)(logits[id] - logSum);
        if (top == 0) return new(id, logprob);

        var best = new List<int>(top + 1);                 // sorted; a row's ids come in rising order, so ties keep the lower one first
        for (var i = 0; i < logits.Length; i++)
        {
            if (best.Count == top && logits[i] <= logits[best[^1]]) continue;
            var place = best.Count;
            while (place > 0 && logits[best[place - 1]] < logits[i]) place--;
            best.Insert(place, i);
            if (best.Count > top) best.RemoveAt(top);
        }
        var ranked = new (int, float)[best.Count];
        for (var i = 0; i < ranked.Length; i++) ranked[i] = (best[i], (float)(logits[best[i]] - logSum));
        return new(id, logprob, ranked);
    }
}
