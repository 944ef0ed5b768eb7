namespace NanoAspire.Engine.Kernels;

/// <summary>How the numbers of a weight or of the KV cache are kept. Arithmetic is float32 whatever they are kept as.</summary>
internal enum WeightType
{
    F32,
    F16,
    BF16,
    /// <summary>Eight bits, with scales beside them: a block of a weight, or a tile of a cached row, shares one.</summary>
    E4M3,
    /// <summary>Four bits, weights only, with a power of two beside every 32 of a row.</summary>
    E2M1,
}

internal static class WeightTypes
{
    /// <summary>Whether factors belong to the numbers.</summary>
    public static bool IsScaled(this WeightType type) => type is WeightType.E4M3 or WeightType.E2M1;

    /// <summary>Of one number.</summary>
    public static int Bytes(this WeightType type) => type switch
    {
        WeightType.F32 => 4,
        WeightType.E4M3 => 1,
        WeightType.E2M1 => throw new ArgumentOutOfRangeException(nameof(type), type, "shares its bytes"),
        _ => 2,
    };

    /// <summary>Of several numbers, an even count where two share a byte.</summary>
    public static long Bytes(this WeightType type, long count) => type == WeightType.E2M1 ? count / 2 : count * type.Bytes();
}
