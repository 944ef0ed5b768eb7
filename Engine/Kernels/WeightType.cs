namespace NanoAspire.Engine.Kernels;

/// <summary>How the numbers of a weight or of the KV cache are kept. Arithmetic is float32 whatever they are kept as.</summary>
internal enum WeightType
{
    F32,
    F16,
    BF16,
    /// <summary>Eight bits, with scales beside them: a block of a weight, or a tile of a cached row, shares one.</summary>
    E4M3,
}

internal static class WeightTypes
{
    public static int Bytes(this WeightType type) => type switch { WeightType.F32 => 4, WeightType.E4M3 => 1, _ => 2 };
}
