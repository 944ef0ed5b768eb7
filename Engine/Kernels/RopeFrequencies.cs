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
    /// <param name="scaling">Null for plain RoPE.</param>
    public static RopeFrequencies Create(int dim, double theta, RopeScaling? scaling)
    {
        var angles = new float[dim / 2];
        for (var i = 0; i < angles.Length; i++) angles[i] = 1f / MathF.Pow((float)theta, 2f * i / dim);
        scaling?.Stretch(angles, dim, theta);
        return new(angles, (float)(scaling?.AttentionFactor ?? 1));
    }
}
