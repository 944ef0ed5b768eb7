using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// Products with E2M1 weights. A number times its power of two is a float32 number, so the chains are those of a float32 matrix and give its
/// bits. One row widens weights in registers, on machines with 16 lanes; several share strips of a panel that are widened once, into the first cache.
/// </summary>
internal static unsafe class Float4Linear
{
    private const int Strip = 2 * Float4.Group;
    private const int PanelsAtOnce = 4;                                      // chains enough to hide the latency of the multiply-add
    private const int Alignment = 64;

    /// <summary>Rows [firstRow, endRow), at most <see cref="Linear.RowsPerItem"/>, against panels [first, end).</summary>
    public static void Panels(Tensor x, PackedMatrix w, TileMode mode, Tensor into, int firstRow, int endRow, int first, int end)
    {
        if (endRow - firstRow == 1 && Simd.Wide) Row(x, w, mode, into, firstRow, first, end);
        else Rows(x, w, mode, into, firstRow, endRow - firstRow, first, end);
    }

    private static void Row(Tensor x, PackedMatrix w, TileMode mode, Tensor into, int row, int first, int end)
    {
        var sums = stackalloc float[PanelsAtOnce * Tile.Columns];
        for (int panel = first, count; panel < end; panel += count)
        {
            count = end - panel >= PanelsAtOnce ? PanelsAtOnce : 1;
            if (count == 1) One(x.Row(row), w, panel, sums);
            else Four(x.Row(row), w, panel, sums);
            for (var i = 0; i < count; i++) Linear.Finish(sums + i * Tile.Columns, 1, mode, into, row, panel + i, w);
        }
    }

    private static void Rows(Tensor x, PackedMatrix w, TileMode mode, Tensor into, int firstRow, int rows, int first, int end)
    {
        var memory = stackalloc byte[(Strip + rows) * Tile.Columns * sizeof(float) + Alignment];
        var strip = (float*)(((nint)memory + Alignment - 1) & -Alignment);   // [columns, 32]
        var sums = strip + Strip * Tile.Columns;                             // [rows, 32]
        var tile = new Tile { Low = (byte*)strip, High = (byte*)(strip + Tile.Columns / 2), WStride = Tile.Columns * sizeof(float), XStride = x.Stride, CStride = Tile.Columns };
        for (var panel = first; panel < end; panel++)
        {
            for (var column = 0; column < w.Columns; column += Strip)
            {
                tile.K = Math.Min(Strip, w.Columns - column);
                tile.Mode = column == 0 ? TileMode.Set : TileMode.Continue;
                if (Simd.Wide) Widen(w, panel, column, tile.K, strip);
                else WidenNarrow(w, panel, column, tile.K, strip);
                for (var row = 0; row < rows; row += Tile.MaxRows)
                {
                    tile.X = x.Row(firstRow + row) + column;
                    tile.C = sums + row * Tile.Columns;
                    tile.Rows = Math.Min(Tile.MaxRows, rows - row);
                    tile.Run<F32Columns>();
                }
            }
            Linear.Finish(sums, rows, mode, into, firstRow, panel, w);
        }
    }

    /// <summary>Columns [column, column + count) of a panel as float32, [count, 32]. <paramref name="column"/> begins a group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]                   // hot from the first call on
    internal static void Widen(PackedMatrix w, int panel, int column, int count, float* into)
    {
        byte* weights = w.Panel(panel), exponents = w.Exponents(panel, 0);
        for (var group = column; group < column + count; group += Float4.Group)
        {
            var from = Group(weights, exponents, group, out var low, out var high);
            for (var end = into + Math.Min(Float4.Group, column + count - group) * Tile.Columns; into < end; into += 2 * Tile.Columns, from += Tile.Columns)
            {
                Load(from, low, high, out var l0, out var h0, out var l1, out var h1);
                l0.Store(into);
                h0.Store(into + 16);
                l1.Store(into + 32);
                h1.Store(into + 48);
            }
        }
    }

    /// <summary><see cref="Widen"/> for machines with 8 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]                   // hot from the first call on
    internal static void WidenNarrow(PackedMatrix w, int panel, int column, int count, float* into)
    {
        byte* weights = w.Panel(panel), exponents = w.Exponents(panel, 0);
        for (var group = column; group < column + count; group += Float4.Group)
        {
            var from = Group(weights, exponents, group, out var low, out var high);
            for (var end = into + Math.Min(Float4.Group, column + count - group) * Tile.Columns; into < end; into += 2 * Tile.Columns, from += Tile.Columns)
            {
                Store(Vector128.Load(from), low, into);
                Store(Vector128.Load(from + 16), high, into + 16);
            }
        }

        static void Store(Vector128<byte> pairs, Vector512<float> factors, float* into)
        {
            var (lower, upper) = Float4.Expand(pairs & Vector128.Create((byte)15));
            (lower * factors.GetLower()).Store(into);
            (upper * factors.GetUpper()).Store(into + 8);
            (lower, upper) = Float4.Expand(pairs >>> 4);
            (lower * factors.GetLower()).Store(into + 32);
            (upper * factors.GetUpper()).Store(into + 40);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(float* x, PackedMatrix w, int panel, float* sums)
    {
        byte* weights = w.Panel(panel), exponents = w.Exponents(panel, 0);
        var columns = w.Columns;
        Vector512<float> l0 = default, h0 = default;
        for (var group = 0; group < columns; group += Float4.Group)
        {
            var p0 = Group(weights, exponents, group, out var f0, out var g0);
            for (var end = x + Math.Min(Float4.Group, columns - group); x < end; x += 2, p0 += Tile.Columns)
            {
                var (a, b) = (Vector512.Create(x[0]), Vector512.Create(x[1]));
                Load(p0, f0, g0, out var la, out var ha, out var lb, out var hb);
                (l0, h0) = (Vector512.FusedMultiplyAdd(b, lb, Vector512.FusedMultiplyAdd(a, la, l0)), Vector512.FusedMultiplyAdd(b, hb, Vector512.FusedMultiplyAdd(a, ha, h0)));
            }
        }
        l0.Store(sums);
        h0.Store(sums + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(float* x, PackedMatrix w, int panel, float* sums)
    {
        byte* w0 = w.Panel(panel), w1 = w.Panel(panel + 1), w2 = w.Panel(panel + 2), w3 = w.Panel(panel + 3);
        byte* e0 = w.Exponents(panel, 0), e1 = w.Exponents(panel + 1, 0), e2 = w.Exponents(panel + 2, 0), e3 = w.Exponents(panel + 3, 0);
        var columns = w.Columns;
        Vector512<float> l0 = default, h0 = default, l1 = default, h1 = default, l2 = default, h2 = default, l3 = default, h3 = default;
        for (var group = 0; group < columns; group += Float4.Group)
        {
            byte* p0 = Group(w0, e0, group, out var f0, out var g0), p1 = Group(w1, e1, group, out var f1, out var g1);
            byte* p2 = Group(w2, e2, group, out var f2, out var g2), p3 = Group(w3, e3, group, out var f3, out var g3);
            for (var end = x + Math.Min(Float4.Group, columns - group); x < end; x += 2, p0 += Tile.Columns, p1 += Tile.Columns, p2 += Tile.Columns, p3 += Tile.Columns)
            {
                var (a, b) = (Vector512.Create(x[0]), Vector512.Create(x[1]));
                Load(p0, f0, g0, out var la, out var ha, out var lb, out var hb);
                (l0, h0) = (Vector512.FusedMultiplyAdd(b, lb, Vector512.FusedMultiplyAdd(a, la, l0)), Vector512.FusedMultiplyAdd(b, hb, Vector512.FusedMultiplyAdd(a, ha, h0)));
                Load(p1, f1, g1, out la, out ha, out lb, out hb);
                (l1, h1) = (Vector512.FusedMultiplyAdd(b, lb, Vector512.FusedMultiplyAdd(a, la, l1)), Vector512.FusedMultiplyAdd(b, hb, Vector512.FusedMultiplyAdd(a, ha, h1)));
                Load(p2, f2, g2, out la, out ha, out lb, out hb);
                (l2, h2) = (Vector512.FusedMultiplyAdd(b, lb, Vector512.FusedMultiplyAdd(a, la, l2)), Vector512.FusedMultiplyAdd(b, hb, Vector512.FusedMultiplyAdd(a, ha, h2)));
                Load(p3, f3, g3, out la, out ha, out lb, out hb);
                (l3, h3) = (Vector512.FusedMultiplyAdd(b, lb, Vector512.FusedMultiplyAdd(a, la, l3)), Vector512.FusedMultiplyAdd(b, hb, Vector512.FusedMultiplyAdd(a, ha, h3)));
            }
        }
        l0.Store(sums);
        h0.Store(sums + 16);
        l1.Store(sums + 32);
        h1.Store(sums + 48);
        l2.Store(sums + 64);
        h2.Store(sums + 80);
        l3.Store(sums + 96);
        h3.Store(sums + 112);
    }

    /// <summary>Where a group of columns of a panel begins, and the factors of its features 0–15 and 16–31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Group(byte* weights, byte* exponents, int column, out Vector512<float> low, out Vector512<float> high)
    {
        exponents += column / Float4.Group * Tile.Columns;
        (low, high) = (Exponent8.Expand(exponents), Exponent8.Expand(exponents + 16));
        return weights + (nint)column / 2 * Tile.Columns;
    }

    /// <summary>Two k steps of 32 features, times their factors: exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load(byte* from, Vector512<float> low, Vector512<float> high, out Vector512<float> l0, out Vector512<float> h0, out Vector512<float> l1, out Vector512<float> h1)
    {
        var (l, h) = (Simd.Bytes(from), Simd.Bytes(from + 16));
        (l0, h0) = (Float4.Expand(l) * low, Float4.Expand(h) * high);
        (l1, h1) = (Float4.Expand(l >> 4) * low, Float4.Expand(h >> 4) * high);
    }
}
