namespace NanoAspire.Engine.Kernels;

/// <summary>How the numbers of a weight or of the KV cache are kept. Arithmetic is float32 whatever they are kept as.</summary>
internal enum WeightType
{
    F32,
    F16,
    BF16,
}

internal static class WeightTypes
{
    public static int Bytes(this WeightType type) => type == WeightType.F32 ? 4 : 2;
}
