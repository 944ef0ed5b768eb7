using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary><see cref="Tile"/> with two 16-lane vectors a row. Eight rows keep 16 chains in registers: enough to hide the latency of the multiply-add.</summary>
internal static unsafe class Tile512
{
    public static void Run<TColumns>(in Tile tile) where TColumns : struct, IColumns
    {
        if (tile.Rows == 1) Rows1<TColumns>(tile);
        else if (tile.Rows <= 4) Rows4<TColumns>(tile);
        else Rows8<TColumns>(tile);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]                   // hot from the first call on
    private static void Rows1<TColumns>(in Tile tile) where TColumns : struct, IColumns
    {
        float* x0 = tile.XRow(0);
        float* c0 = tile.CRow(0);
        Vector512<float> l0 = default, h0 = default;
        if (tile.Mode == TileMode.Continue)
        {
            (l0, h0) = (Vector512.Load(c0), Vector512.Load(c0 + 16));
        }
        byte* low = tile.Low, high = tile.High;
        var (stride, k) = (tile.WStride, (nint)tile.K);
        for (nint i = 0; i < k; i++, low += stride, high += stride)
        {
            TColumns.Load(low, high, out var wl, out var wh);
            var x = Vector512.Create(x0[i]);
            (l0, h0) = (Vector512.FusedMultiplyAdd(x, wl, l0), Vector512.FusedMultiplyAdd(x, wh, h0));
        }
        if (tile.Mode == TileMode.Add)                                       // all loads before the first store: spare lanes share a row
        {
            (l0, h0) = (Vector512.Load(c0) + l0, Vector512.Load(c0 + 16) + h0);
        }
        l0.Store(c0);
        h0.Store(c0 + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]                   // hot from the first call on
    private static void Rows4<TColumns>(in Tile tile) where TColumns : struct, IColumns
    {
        float* x0 = tile.XRow(0), x1 = tile.XRow(1), x2 = tile.XRow(2), x3 = tile.XRow(3);
        float* c0 = tile.CRow(0), c1 = tile.CRow(1), c2 = tile.CRow(2), c3 = tile.CRow(3);
        Vector512<float> l0 = default, h0 = default, l1 = default, h1 = default, l2 = default, h2 = default, l3 = default, h3 = default;
        if (tile.Mode == TileMode.Continue)
        {
            (l0, h0) = (Vector512.Load(c0), Vector512.Load(c0 + 16));
            (l1, h1) = (Vector512.Load(c1), Vector512.Load(c1 + 16));
            (l2, h2) = (Vector512.Load(c2), Vector512.Load(c2 + 16));
            (l3, h3) = (Vector512.Load(c3), Vector512.Load(c3 + 16));
        }
        byte* low = tile.Low, high = tile.High;
        var (stride, k) = (tile.WStride, (nint)tile.K);
        for (nint i = 0; i < k; i++, low += stride, high += stride)
        {
            TColumns.Load(low, high, out var wl, out var wh);
            var x = Vector512.Create(x0[i]);
            (l0, h0) = (Vector512.FusedMultiplyAdd(x, wl, l0), Vector512.FusedMultiplyAdd(x, wh, h0));
            x = Vector512.Create(x1[i]);
            (l1, h1) = (Vector512.FusedMultiplyAdd(x, wl, l1), Vector512.FusedMultiplyAdd(x, wh, h1));
            x = Vector512.Create(x2[i]);
            (l2, h2) = (Vector512.FusedMultiplyAdd(x, wl, l2), Vector512.FusedMultiplyAdd(x, wh, h2));
            x = Vector512.Create(x3[i]);
            (l3, h3) = (Vector512.FusedMultiplyAdd(x, wl, l3), Vector512.FusedMultiplyAdd(x, wh, h3));
        }
        if (tile.Mode == TileMode.Add)                                       // all loads before the first store: spare lanes share a row
        {
            (l0, h0) = (Vector512.Load(c0) + l0, Vector512.Load(c0 + 16) + h0);
            (l1, h1) = (Vector512.Load(c1) + l1, Vector512.Load(c1 + 16) + h1);
            (l2, h2) = (Vector512.Load(c2) + l2, Vector512.Load(c2 + 16) + h2);
            (l3, h3) = (Vector512.Load(c3) + l3, Vector512.Load(c3 + 16) + h3);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]                   // hot from the first call on
    private static void Rows8<TColumns>(in Tile tile) where TColumns : struct, IColumns
    {
        float* x0 = tile.XRow(0), x1 = tile.XRow(1), x2 = tile.XRow(2), x3 = tile.XRow(3), x4 = tile.XRow(4), x5 = tile.XRow(5), x6 = tile.XRow(6), x7 = tile.XRow(7);
        float* c0 = tile.CRow(0), c1 = tile.CRow(1), c2 = tile.CRow(2), c3 = tile.CRow(3), c4 = tile.CRow(4), c5 = tile.CRow(5), c6 = tile.CRow(6), c7 = tile.CRow(7);
        Vector512<float> l0 = default, h0 = default, l1 = default, h1 = default, l2 = default, h2 = default, l3 = default, h3 = default, l4 = default, h4 = default, l5 = default, h5 = default, l6 = default, h6 = default, l7 = default, h7 = default;
        if (tile.Mode == TileMode.Continue)
        {
            (l0, h0) = (Vector512.Load(c0), Vector512.Load(c0 + 16));
            (l1, h1) = (Vector512.Load(c1), Vector512.Load(c1 + 16));
            (l2, h2) = (Vector512.Load(c2), Vector512.Load(c2 + 16));
            (l3, h3) = (Vector512.Load(c3), Vector512.Load(c3 + 16));
            (l4, h4) = (Vector512.Load(c4), Vector512.Load(c4 + 16));
            (l5, h5) = (Vector512.Load(c5), Vector512.Load(c5 + 16));
            (l6, h6) = (Vector512.Load(c6), Vector512.Load(c6 + 16));
            (l7, h7) = (Vector512.Load(c7), Vector512.Load(c7 + 16));
        }
        byte* low = tile.Low, high = tile.High;
        var (stride, k) = (tile.WStride, (nint)tile.K);
        for (nint i = 0; i < k; i++, low += stride, high += stride)
        {
            TColumns.Load(low, high, out var wl, out var wh);
            var x = Vector512.Create(x0[i]);
            (l0, h0) = (Vector512.FusedMultiplyAdd(x, wl, l0), Vector512.FusedMultiplyAdd(x, wh, h0));
            x = Vector512.Create(x1[i]);
            (l1, h1) = (Vector512.FusedMultiplyAdd(x, wl, l1), Vector512.FusedMultiplyAdd(x, wh, h1));
            x = Vector512.Create(x2[i]);
            (l2, h2) = (Vector512.FusedMultiplyAdd(x, wl, l2), Vector512.FusedMultiplyAdd(x, wh, h2));
            x = Vector512.Create(x3[i]);
            (l3, h3) = (Vector512.FusedMultiplyAdd(x, wl, l3), Vector512.FusedMultiplyAdd(x, wh, h3));
            x = Vector512.Create(x4[i]);
            (l4, h4) = (Vector512.FusedMultiplyAdd(x, wl, l4), Vector512.FusedMultiplyAdd(x, wh, h4));
            x = Vector512.Create(x5[i]);
            (l5, h5) = (Vector512.FusedMultiplyAdd(x, wl, l5), Vector512.FusedMultiplyAdd(x, wh, h5));
            x = Vector512.Create(x6[i]);
            (l6, h6) = (Vector512.FusedMultiplyAdd(x, wl, l6), Vector512.FusedMultiplyAdd(x, wh, h6));
            x = Vector512.Create(x7[i]);
            (l7, h7) = (Vector512.FusedMultiplyAdd(x, wl, l7), Vector512.FusedMultiplyAdd(x, wh, h7));
        }
        if (tile.Mode == TileMode.Add)                                       // all loads before the first store: spare lanes share a row
        {
            (l0, h0) = (Vector512.Load(c0) + l0, Vector512.Load(c0 + 16) + h0);
            (l1, h1) = (Vector512.Load(c1) + l1, Vector512.Load(c1 + 16) + h1);
            (l2, h2) = (Vector512.Load(c2) + l2, Vector512.Load(c2 + 16) + h2);
            (l3, h3) = (Vector512.Load(c3) + l3, Vector512.Load(c3 + 16) + h3);
            (l4, h4) = (Vector512.Load(c4) + l4, Vector512.Load(c4 + 16) + h4);
            (l5, h5) = (Vector512.Load(c5) + l5, Vector512.Load(c5 + 16) + h5);
            (l6, h6) = (Vector512.Load(c6) + l6, Vector512.Load(c6 + 16) + h6);
            (l7, h7) = (Vector512.Load(c7) + l7, Vector512.Load(c7 + 16) + h7);
        }
        l0.Store(c0);
        h0.Store(c0 + 16);
        l1.Store(c1);
        h1.Store(c1 + 16);
        l2.Store(c2);
        h2.Store(c2 + 16);
        l3.Store(c3);
        h3.Store(c3 + 16);
        l4.Store(c4);
        h4.Store(c4 + 16);
        l5.Store(c5);
        h5.Store(c5 + 16);
        l6.Store(c6);
        h6.Store(c6 + 16);
        l7.Store(c7);
        h7.Store(c7 + 16);
    }
}
