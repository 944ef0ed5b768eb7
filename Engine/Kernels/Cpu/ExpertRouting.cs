using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// Scores, choice and weights of one token's experts. A comparison is strict and indices ascend, so equal values go to the lower index; a NaN
/// never wins against a number already chosen. Sums: the softmax denominator in 16 chains by index mod 16 and a fixed tree; a group's two
/// best, better first; the chosen scores, best first.
/// </summary>
internal static unsafe class ExpertRouting
{
    private const float NoDivisionByZero = 1e-20f;

    /// <param name="logits">[experts], becomes the scores.</param>
    /// <param name="bias">[experts] or null.</param>
    /// <param name="table">The token's experts, or null to choose.</param>
    /// <param name="router">How.</param>
    /// <param name="keys">[experts] scratch.</param>
    /// <param name="chosen">[topK]</param>
    /// <param name="weights">[topK]</param>
    public static void Invoke(float* logits, float* bias, int* table, RouterConfig router, float* keys, int* chosen, float* weights)
    {
        Scores(logits, router);
        if (table is not null) new ReadOnlySpan<int>(table, router.TopK).CopyTo(new(chosen, router.TopK));
        else
        {
            for (var e = 0; e < router.Experts; e++) keys[e] = bias is null ? logits[e] : logits[e] + bias[e];
            if (router.Groups > router.TopGroups) DropGroups(keys, router);
            for (var rank = 0; rank < router.TopK; rank++)
            {
                var best = Best(keys, 0, router.Experts);
                (chosen[rank], keys[best]) = (best, float.NegativeInfinity);
            }
        }
        var sum = 0f;
        for (var rank = 0; rank < router.TopK; rank++) sum += weights[rank] = logits[chosen[rank]];
        for (var rank = 0; rank < router.TopK; rank++) weights[rank] = (router.Normalise ? weights[rank] / (sum + NoDivisionByZero) : weights[rank]) * router.Scale;
    }

    /// <summary>In double, by sorting. Logits are one token's.</summary>
    internal static (int Expert, double Weight)[] Reference(ReadOnlySpan<float> logits, ReadOnlySpan<float> bias, RouterConfig router)
    {
        var values = logits.ToArray();
        var max = values.Max();
        var sum = values.Sum(x => Math.Exp((double)x - max));
        var scores = values.Select(x => router.Score switch
        {
            RouterScore.Softmax => Math.Exp((double)x - max) / sum,
            RouterScore.Sigmoid => 1 / (1 + Math.Exp(-(double)x)),
            _ => Math.Sqrt(Math.Log(1 + Math.Exp((double)x))),
        }).ToArray();
        var biases = bias.IsEmpty ? new float[values.Length] : bias.ToArray();
        var size = values.Length / router.Groups;
        var kept = Enumerable.Range(0, router.Groups)
            .OrderByDescending(g => Enumerable.Range(g * size, size).Select(e => scores[e] + biases[e]).OrderDescending().Take(2).Sum()).Take(router.TopGroups).ToHashSet();
        var best = Enumerable.Range(0, values.Length).Where(e => kept.Contains(e / size)).OrderByDescending(e => scores[e] + biases[e]).Take(router.TopK).ToArray();
        var total = router.Normalise ? best.Sum(e => scores[e]) : 1;
        return [.. best.Select(e => (e, scores[e] / total * router.Scale))];
    }

    private static void Scores(float* x, RouterConfig router)
    {
        var count = router.Experts;
        if (router.Score == RouterScore.Softmax)
        {
            var lanes = RowMath.Load(x, count, float.NegativeInfinity);
            for (var i = Simd.Lanes; i < count; i += Simd.Lanes) lanes = Vector512.Max(lanes, RowMath.Load(x + i, count - i, float.NegativeInfinity));
            var (shift, sums) = (Vector512.Create(RowMath.Max(lanes)), Vector512<float>.Zero);
            for (var i = 0; i < count; i += Simd.Lanes)
            {
                var e = Exp.NotPositive(RowMath.Load(x + i, count - i, float.NegativeInfinity) - shift);
                RowMath.Store(e, x + i, count - i);
                sums += e;
            }
            var sum = Vector512.Create(RowMath.Sum(sums));
            for (var i = 0; i < count; i += Simd.Lanes) RowMath.Store(RowMath.Load(x + i, count - i) / sum, x + i, count - i);
            return;
        }
        for (var e = 0; e < count; e++)
        {
            // ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|), the logarithm in double
            x[e] = router.Score == RouterScore.Sigmoid ? 1 / (1 + Exp.Invoke(-x[e])) : MathF.Sqrt(Softplus(x[e]));
        }
    }

    /// <summary>Exact to the last bits however small: experts that a table chose may all have scores next to nothing, and only their ratios count.</summary>
    internal static float Softplus(float x)
    {
        var e = Math.Exp(-Math.Abs((double)x));
        return (float)(Math.Max(x, 0) + (e < 1e-5 ? e * (1 - e / 2 + e * e / 3) : Math.Log(1 + e)));
    }

    /// <summary>Keys of all but the best groups become −∞.</summary>
    private static void DropGroups(float* keys, RouterConfig router)
    {
        var size = router.Experts / router.Groups;
        var worth = stackalloc float[router.Groups];
        var kept = stackalloc bool[router.Groups];
        for (var g = 0; g < router.Groups; g++)
        {
            var first = Best(keys, g * size, (g + 1) * size);
            var best = keys[first];
            keys[first] = float.NegativeInfinity;
            worth[g] = size == 1 ? best : best + keys[Best(keys, g * size, (g + 1) * size)];
            (keys[first], kept[g]) = (best, false);
        }
        for (var n = 0; n < router.TopGroups; n++)
        {
            var best = Best(worth, 0, router.Groups);
            (worth[best], kept[best]) = (float.NegativeInfinity, true);
        }
        for (var e = 0; e < router.Experts; e++) if (!kept[e / size]) keys[e] = float.NegativeInfinity;
    }

    private static int Best(float* keys, int start, int end)
    {
        var best = start;
        for (var i = start + 1; i < end; i++) if (keys[i] > keys[best]) best = i;
        return best;
    }

    internal readonly struct Work(Tensor logits, Tensor bias, ExpertTable table, StepInput? step, RouterConfig router, ExpertRoutes routes) : IWork
    {
        private const int TokensPerItem = 16;

        public int Items => (routes.Tokens + TokensPerItem - 1) / TokensPerItem;

        public void Run(int item, int worker)
        {
            var keys = stackalloc float[router.Experts];
            var end = Math.Min((item + 1) * TokensPerItem, routes.Tokens);
            for (var t = item * TokensPerItem; t < end; t++)
            {
                var fromTable = table.IsEmpty ? null : table.Of(step!.Tokens[t]);
                Invoke(logits.Row(t), bias.Data, fromTable, router, keys, routes.Chosen + t * routes.PerToken, routes.Weights + t * routes.PerToken);
            }
        }
    }
}
