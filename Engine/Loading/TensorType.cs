using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Loading;

/// <summary>The type names of the safetensors format.</summary>
internal static class TensorType
{
    /// <summary>Bits an element; 0 for a name the format does not know.</summary>
    public static int Bits(string name) => name switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => 8,
        "U16" or "I16" or "F16" or "BF16" => 16,
        "U32" or "I32" or "F32" => 32,
        "U64" or "I64" or "F64" => 64,
        _ => 0,
    };

    /// <summary>Factors of scaled weights (<see cref="Kernels.Cpu.Exponent8"/>).</summary>
    public const string Exponents = "F8_E8M0";

    /// <summary>Bytes that hold two 4-bit floats each, where the configuration says so: their shape counts bytes, that of F4 numbers.</summary>
    public static bool IsPacked(string name) => name is "I8" or "U8";

    /// <summary>Null when weights cannot be of this type.</summary>
    public static WeightType? Weight(string name) => name switch
    {
        "F32" => WeightType.F32,
        "F16" => WeightType.F16,
        "BF16" => WeightType.BF16,
        "F8_E4M3" => WeightType.E4M3,
        "F4" => WeightType.E2M1,
        _ => null,
    };
}
