using System.Runtime.CompilerServices;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>What a tile does with the numbers already in C.</summary>
internal enum TileMode
{
    /// <summary>C = X·W</summary>
    Set,
    /// <summary>C = C + X·W, the product summed first: a residual connection.</summary>
    Add,
    /// <summary>C is a partial sum and this call goes on with it, bit for bit as if the two had been one call.</summary>
    Continue,
}

/// <summary>
/// The inner product everything here is made of: C[rows ≤ 8, 32] from X[rows, k] and W[k, 32]. Each element of C is one chain of
/// fused multiply-adds over ascending k; vectors run across the 32 columns. So an element does not depend on how many rows
/// share the call, and a matrix-vector product is a matrix product with one row.
/// </summary>
internal unsafe struct Tile
{
    public const int MaxRows = 8;
    public const int Columns = 32;

    public float* X;
    /// <summary>Floats between rows of X.</summary>
    public nint XStride;
    /// <summary>Columns 0–15 of the first k step.</summary>
    public byte* Low;
    /// <summary>Columns 16–31 of the first k step.</summary>
    public byte* High;
    /// <summary>Bytes between k steps, for both.</summary>
    public nint WStride;
    public int K;
    public float* C;
    /// <summary>Floats between rows of C.</summary>
    public nint CStride;
    public int Rows;
    public TileMode Mode;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Run<TColumns>() where TColumns : struct, IColumns
    {
        if (Simd.Wide) Tile512.Run<TColumns>(this);
        else Tile256.Run<TColumns>(this);
    }

    /// <summary>Row r of X, the last one where there are fewer: a spare lane repeats its work, bit for bit, rather than branching.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float* XRow(int r) => X + Math.Min(r, Rows - 1) * XStride;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float* CRow(int r) => C + Math.Min(r, Rows - 1) * CStride;
}
