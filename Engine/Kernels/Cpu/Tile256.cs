using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary><see cref="Tile"/> for machines with 16 registers of 8 lanes: four rows and half of the columns at a time.</summary>
internal static unsafe class Tile256
{
    public static void Run<TColumns>(in Tile tile) where TColumns : struct, IColumns
    {
        for (var half = 0; half < 2; half++)
        {
            if (tile.Rows == 1)
            {
                Rows1<TColumns>(tile, half);
                continue;
            }
            Rows4<TColumns>(tile, half);
            if (tile.Rows <= 4) continue;
            var rest = tile;
            rest.X += 4 * tile.XStride;
            rest.C += 4 * tile.CStride;
            rest.Rows -= 4;
            Rows4<TColumns>(rest, half);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]                   // hot from the first call on
    private static void Rows1<TColumns>(in Tile tile, int half) where TColumns : struct, IColumns
    {
        float* x0 = tile.XRow(0);
        float* c0 = tile.CRow(0) + 8 * half;
        Vector256<float> l0 = default, h0 = default;
        if (tile.Mode == TileMode.Continue)
        {
            (l0, h0) = (Vector256.Load(c0), Vector256.Load(c0 + 16));
        }
        byte* low = tile.Low, high = tile.High;
        var (stride, k) = (tile.WStride, (nint)tile.K);
        for (nint i = 0; i < k; i++, low += stride, high += stride)
        {
            TColumns.Load(low, high, half, out var wl, out var wh);
            var x = Vector256.Create(x0[i]);
            (l0, h0) = (Vector256.FusedMultiplyAdd(x, wl, l0), Vector256.FusedMultiplyAdd(x, wh, h0));
        }
        if (tile.Mode == TileMode.Add)                                       // all loads before the first store: spare lanes share a row
        {
            (l0, h0) = (Vector256.Load(c0) + l0, Vector256.Load(c0 + 16) + h0);
        }
        l0.Store(c0);
        h0.Store(c0 + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]                   // hot from the first call on
    private static void Rows4<TColumns>(in Tile tile, int half) where TColumns : struct, IColumns
    {
        float* x0 = tile.XRow(0), x1 = tile.XRow(1), x2 = tile.XRow(2), x3 = tile.XRow(3);
        float* c0 = tile.CRow(0) + 8 * half, c1 = tile.CRow(1) + 8 * half, c2 = tile.CRow(2) + 8 * half, c3 = tile.CRow(3) + 8 * half;
        Vector256<float> l0 = default, h0 = default, l1 = default, h1 = default, l2 = default, h2 = default, l3 = default, h3 = default;
        if (tile.Mode == TileMode.Continue)
        {
            (l0, h0) = (Vector256.Load(c0), Vector256.Load(c0 + 16));
            (l1, h1) = (Vector256.Load(c1), Vector256.Load(c1 + 16));
            (l2, h2) = (Vector256.Load(c2), Vector256.Load(c2 + 16));
            (l3, h3) = (Vector256.Load(c3), Vector256.Load(c3 + 16));
        }
        byte* low = tile.Low, high = tile.High;
        var (stride, k) = (tile.WStride, (nint)tile.K);
        for (nint i = 0; i < k; i++, low += stride, high += stride)
        {
            TColumns.Load(low, high, half, out var wl, out var wh);
            var x = Vector256.Create(x0[i]);
            (l0, h0) = (Vector256.FusedMultiplyAdd(x, wl, l0), Vector256.FusedMultiplyAdd(x, wh, h0));
            x = Vector256.Create(x1[i]);
            (l1, h1) = (Vector256.FusedMultiplyAdd(x, wl, l1), Vector256.FusedMultiplyAdd(x, wh, h1));
            x = Vector256.Create(x2[i]);
            (l2, h2) = (Vector256.FusedMultiplyAdd(x, wl, l2), Vector256.FusedMultiplyAdd(x, wh, h2));
            x = Vector256.Create(x3[i]);
            (l3, h3) = (Vector256.FusedMultiplyAdd(x, wl, l3), Vector256.FusedMultiplyAdd(x, wh, h3));
        }
        if (tile.Mode == TileMode.Add)                                       // all loads before the first store: spare lanes share a row
        {
            (l0, h0) = (Vector256.Load(c0) + l0, Vector256.Load(c0 + 16) + h0);
            (l1, h1) = (Vector256.Load(c1) + l1, Vector256.Load(c1 + 16) + h1);
            (l2, h2) = (Vector256.Load(c2) + l2, Vector256.Load(c2 + 16) + h2);
            (l3, h3) = (Vector256.Load(c3) + l3, Vector256.Load(c3 + 16) + h3);
        }
        l0.Store(c0);
        h0.Store(c0 + 16);
        l1.Store(c1);
        h1.Store(c1 + 16);
        l2.Store(c2);
        h2.Store(c2 + 16);
        l3.Store(c3);
        h3.Store(c3 + 16);
    }
}
