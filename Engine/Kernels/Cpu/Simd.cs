using System.Runtime.Intrinsics;

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
}
