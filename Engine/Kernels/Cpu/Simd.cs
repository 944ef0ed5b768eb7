using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// The one place where the vector width of the matrix tiles is chosen. Everything else is written for 16 lanes, which the runtime
/// splits in two where the machine has 8; either way lane i adds up the same numbers in the same order.
/// </summary>
internal static class Simd
{
    /// <summary>Floats of the widest vector; all row reductions use this many lanes on every machine.</summary>
    public const int Lanes = 16;

    public static readonly bool Wide = Vector512.IsHardwareAccelerated;

    /// <summary>Sixteen bytes as integers from 0 to 255.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<int> Bytes(byte* from) =>
        Avx512F.IsSupported ? Avx512F.ConvertToVector512Int32(Vector128.Load(from))    // one instruction, of which the general form makes two
        : Vector512.WidenLower(Vector256.WidenLower(Vector128.Load(from).ToVector256Unsafe()).ToVector512Unsafe()).AsInt32();
}
