namespace NanoAspire.Engine.Kernels;

/// <summary>How a model turns for contexts longer than those it was first trained on.</summary>
internal abstract record RopeScaling
{
    /// <summary>Factor on cos and sin, so its square scales the attention scores.</summary>
    public double AttentionFactor { get; init; } = 1;

    /// <summary>Factor on the attention scores of families that scale them apart from cos and sin.</summary>
    public double ScoreFactor { get; init; } = 1;

    /// <summary>Changes the angles per position, [dim / 2].</summary>
    public abstract void Stretch(Span<float> angles, int dim, double theta);
}

/// <summary>All pairs turn slower by the same factor.</summary>
internal sealed record LinearScaling(double Factor) : RopeScaling
{
    public override void Stretch(Span<float> angles, int dim, double theta)
    {
        foreach (ref var angle in angles) angle /= (float)Factor;
    }
}

/// <summary>
/// Llama 3: pairs with a wavelength of up to original / high keep their angle, those beyond original / low turn slower by the factor, and
/// between the two the share of each is linear in the turns over the original length.
/// </summary>
internal sealed record Llama3Scaling(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalMaxPositions) : RopeScaling
{
    public override void Stretch(Span<float> angles, int dim, double theta)
    {
        foreach (ref var angle in angles)
        {
            var turns = OriginalMaxPositions * angle / (2 * Math.PI);
            var kept = Math.Clamp((turns - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor), 0, 1);
            angle = (float)((1 - kept) * angle / Factor + kept * angle);
        }
    }
}

/// <summary>YaRN, by its names in <c>rope_scaling</c>: fast pairs keep their angle, slow ones are stretched by the factor, a ramp between the two cut-offs.</summary>
internal sealed record YarnScaling : RopeScaling
{
    public required double Factor { get; init; }
    public required int OriginalMaxPositions { get; init; }
    public double BetaFast { get; init; } = 32;
    public double BetaSlow { get; init; } = 1;
    public bool Truncate { get; init; } = true;

    public override void Stretch(Span<float> angles, int dim, double theta)
    {
        var (low, high) = (Cutoff(BetaFast), Cutoff(BetaSlow));
        if (Truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, dim - 1));
        if (low == high) high += 0.001;
        for (var i = 0; i < angles.Length; i++)
        {
            var ramp = (float)Math.Clamp((i - low) / (high - low), 0, 1);
            angles[i] = angles[i] / (float)Factor * ramp + angles[i] * (1 - ramp);
        }

        double Cutoff(double rotations) => dim * Math.Log(OriginalMaxPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));
    }

    /// <summary>0.1 · mscale · ln(factor) + 1</summary>
    public static double MScale(double factor, double mscale = 1) => factor <= 1 ? 1 : 0.1 * mscale * Math.Log(factor) + 1;
}
