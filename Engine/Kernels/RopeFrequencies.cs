namespace NanoAspire.Engine.Kernels;

/// <summary>Angle per position of each rotated pair, and the factor on cos and sin. float32 throughout, as the reference implementations compute them.</summary>
internal sealed class RopeFrequencies
{
    private RopeFrequencies(float[] angles, float scale) => (Angles, Scale) = (angles, scale);

    /// <summary>[rotary_dim / 2]</summary>
    public float[] Angles { get; }
    public float Scale { get; }

    /// <summary>Which position each pair turns by; null: the one there is.</summary>
    public RopeAxes? Axes { get; private init; }

    /// <summary>The rotations that undo these.</summary>
    public RopeFrequencies Inverse() => new([.. Angles.Select(angle => -angle)], Scale) { Axes = Axes };

    /// <summary>The same angles by positions in time and space.</summary>
    public RopeFrequencies By(RopeAxes? axes) => new(Angles, Scale) { Axes = axes };

    /// <param name="dim">Rotated columns of a head, even.</param>
    /// <param name="theta">Base of the geometric series.</param>
    /// <param name="yarn">Null for plain RoPE.</param>
    public static RopeFrequencies Create(int dim, double theta, YarnScaling? yarn)
    {
        var angles = new float[dim / 2];
        for (var i = 0; i < angles.Length; i++) angles[i] = 1f / MathF.Pow((float)theta, 2f * i / dim);
        if (yarn is null) return new(angles, 1);

        // YaRN: fast pairs keep their angle, slow ones are stretched by the factor, a ramp between the two cut-offs.
        var (low, high) = (Cutoff(yarn.BetaFast), Cutoff(yarn.BetaSlow));
        if (yarn.Truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, dim - 1));
        if (low == high) high += 0.001;
        for (var i = 0; i < angles.Length; i++)
        {
            var ramp = (float)Math.Clamp((i - low) / (high - low), 0, 1);
            angles[i] = angles[i] / (float)yarn.Factor * ramp + angles[i] * (1 - ramp);
        }
        return new(angles, (float)yarn.AttentionFactor);

        double Cutoff(double rotations) => dim * Math.Log(yarn.OriginalMaxPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));
    }
}

/// <summary>Parameters of YaRN context extension, under their names in <c>rope_scaling</c>.</summary>
internal sealed record YarnScaling
{
    public required double Factor { get; init; }
    public required int OriginalMaxPositions { get; init; }
    public double BetaFast { get; init; } = 32;
    public double BetaSlow { get; init; } = 1;
    public bool Truncate { get; init; } = true;
    /// <summary>Factor on cos and sin, so its square scales the attention scores.</summary>
    public required double AttentionFactor { get; init; }

    /// <summary>Factor on the attention scores of families that scale them apart from cos and sin: the square of g(mscale_all_dim), 1 without it.</summary>
    public double ScoreFactor { get; init; } = 1;

    /// <summary>0.1 · mscale · ln(factor) + 1</summary>
    public static double MScale(double factor, double mscale = 1) => factor <= 1 ? 1 : 0.1 * mscale * Math.Log(factor) + 1;
}
