namespace NanoAspire.Engine.Sampling;

/// <summary>Logit bias, repetition, presence and frequency penalties, and the ban on ending early, applied to a copy of a row.</summary>
internal sealed class Penalties(int vocabSize)
{
    private readonly int[] _generated = new int[vocabSize];
    private readonly bool[] _seen = new bool[vocabSize];

    /// <summary>False: the row is used as it is.</summary>
    public static bool AreNeeded(in SamplingContext context)
    {
        var p = context.Params;
        return p.LogitBias.Count > 0 || p.RepetitionPenalty != 1 || p.PresencePenalty != 0 || p.FrequencyPenalty != 0 || MustGoOn(context);
    }

    /// <summary>Changes <paramref name="scores"/> in place.</summary>
    public void Apply(Span<float> scores, in SamplingContext context)
    {
        var p = context.Params;
        foreach (var (id, bias) in p.LogitBias) scores[id] += bias;

        if (p.RepetitionPenalty != 1)
        {
            foreach (var id in context.Tokens)             // prompt and output alike, each token once
            {
                if (_seen[id]) continue;
                _seen[id] = true;
                scores[id] = scores[id] > 0 ? scores[id] / p.RepetitionPenalty : scores[id] * p.RepetitionPenalty;
            }
            foreach (var id in context.Tokens) _seen[id] = false;
        }

        if (p.PresencePenalty != 0 || p.FrequencyPenalty != 0)
        {
            var output = context.Tokens[context.PromptLength..];
            foreach (var id in output) _generated[id]++;
            foreach (var id in output)
            {
                if (_generated[id] == 0) continue;
                scores[id] -= p.PresencePenalty + p.FrequencyPenalty * _generated[id];
                _generated[id] = 0;
            }
        }

        if (!MustGoOn(context)) return;
        foreach (var id in context.StopIds)
        {
            if ((uint)id < (uint)scores.Length) scores[id] = float.NegativeInfinity;
        }
    }

    private static bool MustGoOn(in SamplingContext context) => context.Allowed is not { IsEmpty: true } && context.Tokens.Length - context.PromptLength < context.Params.MinTokens;
}
