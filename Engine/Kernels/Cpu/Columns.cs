using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// How 32 adjacent columns of one k step are read as float32. Columns 0–15 start at <c>low</c>, 16–31 at <c>high</c>;
/// an interleaved format keeps both behind <c>low</c>. <c>half</c> picks lanes 0–7 or 8–15 of each on 8-lane machines.
/// </summary>
internal unsafe interface IColumns
{
    static abstract void Load(byte* low, byte* high, out Vector512<float> l, out Vector512<float> h);
    static abstract void Load(byte* low, byte* high, int half, out Vector256<float> l, out Vector256<float> h);
}

/// <summary>float32 as it is.</summary>
internal readonly unsafe struct F32Columns : IColumns
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, out Vector512<float> l, out Vector512<float> h) =>
        (l, h) = (Vector512.Load((float*)low), Vector512.Load((float*)high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, int half, out Vector256<float> l, out Vector256<float> h) =>
        (l, h) = (Vector256.Load((float*)low + 8 * half), Vector256.Load((float*)high + 8 * half));
}

/// <summary>bfloat16 in natural order (KV cache): widened, then moved to the upper half, which is its float32 value.</summary>
internal readonly unsafe struct Bf16Columns : IColumns
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, out Vector512<float> l, out Vector512<float> h) =>
        (l, h) = (Widen(Vector256.Load((ushort*)low)), Widen(Vector256.Load((ushort*)high)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, int half, out Vector256<float> l, out Vector256<float> h) =>
        (l, h) = (Widen(Vector128.Load((ushort*)low + 8 * half)), Widen(Vector128.Load((ushort*)high + 8 * half)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Widen(Vector256<ushort> x) => (Vector512.WidenLower(x.ToVector512Unsafe()) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Widen(Vector128<ushort> x) => (Vector256.WidenLower(x.ToVector256Unsafe()) << 16).AsSingle();
}

/// <summary>bfloat16 weights, columns i and i + 16 side by side in one 32-bit word: one load, one shift and one mask give both halves.</summary>
internal readonly unsafe struct Bf16Pairs : IColumns
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, out Vector512<float> l, out Vector512<float> h)
    {
        var pairs = Vector512.Load((uint*)low);
        (l, h) = ((pairs << 16).AsSingle(), (pairs & Vector512.Create(0xffff0000u)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, int half, out Vector256<float> l, out Vector256<float> h)
    {
        var pairs = Vector256.Load((uint*)low + 8 * half);
        (l, h) = ((pairs << 16).AsSingle(), (pairs & Vector256.Create(0xffff0000u)).AsSingle());
    }
}

/// <summary>
/// float16 weights, paired like <see cref="Bf16Pairs"/>. Moved three bits down a half's fields sit where float32 has them, with an
/// exponent 112 too small; the product with 2¹¹² is exact, subnormals included.
/// </summary>
internal readonly unsafe struct F16Pairs : IColumns
{
    private const int Fields = unchecked((int)0x8fffe000);
    private const float Rebias = 5.192296858534828e33f;                      // 2^112

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, out Vector512<float> l, out Vector512<float> h)
    {
        var pairs = Vector512.Load((int*)low);
        (l, h) = (Expand(pairs << 16), Expand(pairs & Vector512.Create(unchecked((int)0xffff0000))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, int half, out Vector256<float> l, out Vector256<float> h)
    {
        var pairs = Vector256.Load((int*)low + 8 * half);
        (l, h) = (Expand(pairs << 16), Expand(pairs & Vector256.Create(unchecked((int)0xffff0000))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Expand(Vector512<int> x) => ((x >> 3) & Vector512.Create(Fields)).AsSingle() * Vector512.Create(Rebias);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Expand(Vector256<int> x) => ((x >> 3) & Vector256.Create(Fields)).AsSingle() * Vector256.Create(Rebias);
}

/// <summary>E4M3 weights without their factors, columns i and i + 16 side by side in one 16-bit word.</summary>
internal readonly unsafe struct E4M3Pairs : IColumns
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, out Vector512<float> l, out Vector512<float> h)
    {
        var pairs = Vector512.WidenLower(Vector256.Load((ushort*)low).ToVector512Unsafe()).AsInt32();
        (l, h) = (Float8.Expand(pairs << 24), Float8.Expand(pairs << 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, int half, out Vector256<float> l, out Vector256<float> h)
    {
        var pairs = Vector256.WidenLower(Vector128.Load((ushort*)low + 8 * half).ToVector256Unsafe()).AsInt32();
        (l, h) = (Float8.Expand(pairs << 24), Float8.Expand(pairs << 16));
    }
}

/// <summary>E4M3 in natural order (KV cache), without its factors.</summary>
internal readonly unsafe struct E4M3Columns : IColumns
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, out Vector512<float> l, out Vector512<float> h) =>
        (l, h) = (Widen(Vector128.Load(low)), Widen(Vector128.Load(high)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* low, byte* high, int half, out Vector256<float> l, out Vector256<float> h) =>
        (l, h) = (Widen(Vector64.Load(low + 8 * half)), Widen(Vector64.Load(high + 8 * half)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Widen(Vector128<byte> x) =>
        Float8.Expand(Vector512.WidenLower(Vector256.WidenLower(x.ToVector256Unsafe()).ToVector512Unsafe()).AsInt32() << 24);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Widen(Vector64<byte> x) =>
        Float8.Expand(Vector256.WidenLower(Vector128.WidenLower(x.ToVector128Unsafe()).ToVector256Unsafe()).AsInt32() << 24);
}
