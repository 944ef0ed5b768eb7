using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class PackedMatrixTests
{
    private const int Columns = 150;

    [Theory, InlineData(1), InlineData(31), InlineData(32), InlineData(33), InlineData(100)]
    public void Rows_written_in_any_pieces_are_read_back(int rows)
    {
        var values = Numbers.Normal(rows * Columns, seed: 1);
        var row = new float[Columns];
        foreach (var piece in (int[])[rows, 1, 7, 40])
        {
            using var matrix = new PackedMatrix(rows, Columns, WeightType.F32);
            fixed (float* source = values)
                for (var start = 0; start < rows; start += piece) matrix.Write(start, Math.Min(piece, rows - start), source + start * Columns, WeightType.F32);
            for (var r = 0; r < rows; r++)
            {
                fixed (float* into = row) matrix.ReadRow(r, into);
                Assert.Equal(values.AsSpan(r * Columns, Columns).ToArray(), row);
            }
        }
    }

    [Fact]
    public void Sixteen_bit_weights_are_kept_exactly_and_widened_exactly()
    {
        // All finite values of a half, subnormals included; bfloat16 has the same count.
        var bits = Enumerable.Range(0, 65536).Select(i => (ushort)i).ToArray();
        Check(WeightType.F16, bits.Where(b => Half.IsFinite(BitConverter.UInt16BitsToHalf(b))).ToArray(), b => (float)BitConverter.UInt16BitsToHalf(b));
        Check(WeightType.BF16, bits.Where(b => float.IsFinite(BFloat16.ToSingle(b))).ToArray(), BFloat16.ToSingle);

        static void Check(WeightType type, ushort[] stored, Func<ushort, float> value)
        {
            var expected = stored.Select(value).ToArray();
            foreach (var keptAs in (WeightType[])[type, WeightType.F32])
            {
                using var matrix = new PackedMatrix(stored.Length, 1, keptAs);
                fixed (ushort* source = stored) matrix.Write(0, stored.Length, source, type);
                using var kernels = new CpuKernels(1);
                var result = new float[stored.Length];
                var one = 1f;
                fixed (float* into = result) kernels.Linear(new Tensor(&one, 1, 1), matrix, new Tensor(into, 1, stored.Length));
                Assert.Equal(expected, result);
                for (var r = 0; r < stored.Length; r += 97)
                {
                    float read;
                    matrix.ReadRow(r, &read);
                    Assert.Equal(expected[r], read);
                }
            }
        }
    }

    [Fact]
    public void Eight_bit_weights_times_their_factors_are_read_back_exactly()
    {
        const int Rows = 70, Width = 300, Block = 128;
        var stored = Enumerable.Range(0, Rows * Width).Select(i => (byte)(i * 37)).Select(b => (b & 0x7f) == 0x7f ? (byte)0 : b).ToArray();
        using var matrix = new PackedMatrix(Rows, Width, WeightType.E4M3, Block);
        fixed (byte* source = stored) matrix.Write(0, Rows, source, WeightType.E4M3);
        for (var row = 0; row < Rows; row++) matrix.WriteScales(row, [1, row + 0.5f, 0.125f]);
        var values = new float[Width];
        for (var row = 0; row < Rows; row++)
        {
            fixed (float* into = values) matrix.ReadRow(row, into);
            for (var column = 0; column < Width; column++)
                Assert.Equal((float)Float8.Reference(stored[row * Width + column]) * (column < Block ? 1 : column < 2 * Block ? row + 0.5f : 0.125f), values[column]);
        }
        Assert.True(matrix.Bytes < 1.2 * 96 * Width);                        // one byte a weight, padding and factors aside
    }

    [Fact]
    public void Four_bit_weights_times_their_powers_of_two_are_read_back_exactly()
    {
        const int Rows = 70, Width = 320, Groups = Width / 32;
        var stored = Enumerable.Range(0, Rows * Width / 2).Select(i => (byte)(i * 37)).ToArray();
        static byte Exponent(int row, int group) => (byte)((row * Groups + group) * 7 % 253);      // 2^-127 to 2^125
        foreach (var piece in (int[])[Rows, 7])
        {
            using var matrix = new PackedMatrix(Rows, Width, WeightType.E2M1);
            fixed (byte* source = stored)
                for (var start = 0; start < Rows; start += piece) matrix.Write(start, Math.Min(piece, Rows - start), source + start * Width / 2, WeightType.E2M1);
            for (var row = 0; row < Rows; row++) matrix.WriteScales(row, [.. Enumerable.Range(0, Groups).Select(group => (float)Math.Pow(2, Exponent(row, group) - 127))]);
            var values = new float[Width];
            for (var row = 0; row < Rows; row++)
            {
                fixed (float* into = values) matrix.ReadRow(row, into);
                for (var column = 0; column < Width; column++)
                    Assert.Equal(Float4.Reference(stored[(row * Width + column) / 2] >> column % 2 * 4 & 15) * Math.Pow(2, Exponent(row, column / 32) - 127), values[column]);
            }
            Assert.Equal(96 * Width * 17 / 32, matrix.Bytes);                // half a byte a weight and one for every 32, three panels
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => new PackedMatrix(Rows, Width + 1, WeightType.E2M1));
    }

    [Fact]
    public void Every_four_bit_number_and_every_exponent_is_exact()
    {
        for (var code = 0; code < 16; code++) Assert.Equal(Float4.Reference(code), Float4.ToSingle(code));
        for (var bits = 0; bits < 255; bits++)
        {
            Assert.Equal(Math.Pow(2, bits - 127), Exponent8.ToSingle((byte)bits));
            Assert.Equal(bits, Exponent8.FromSingle(Exponent8.ToSingle((byte)bits)));
        }
        Assert.Equal(float.NaN, Exponent8.ToSingle(255));
        foreach (var none in (float[])[0, 3, -1, float.NaN]) Assert.Throws<ArgumentOutOfRangeException>(() => Exponent8.FromSingle(none));
    }

    [Fact]
    public void A_turned_matrix_is_filled_by_columns()
    {
        foreach (var type in (WeightType[])[WeightType.F32, WeightType.F16, WeightType.BF16])
        {
            using var matrix = new PackedMatrix(45, 3, type);
            for (var column = 0; column < 3; column++)
                fixed (float* values = Enumerable.Range(0, 45).Select(row => row + column / 4f).ToArray()) matrix.WriteColumn(column, values, WeightType.F32);
            var row = new float[3];
            for (var r = 0; r < 45; r++)
            {
                fixed (float* into = row) matrix.ReadRow(r, into);
                Assert.Equal([r, r + 0.25f, r + 0.5f], row);
            }
        }
    }

    [Fact]
    public void Every_eight_bit_value_is_exact_and_the_nearest_one_is_found()
    {
        var finite = Enumerable.Range(0, 256).Select(b => (byte)b).Where(b => (b & 0x7f) != 0x7f).ToArray();
        foreach (var b in finite)
        {
            Assert.Equal(Float8.Reference(b), Float8.ToSingle(b));
            Assert.Equal(b, Float8.FromSingle(Float8.ToSingle(b)));
        }
        Assert.Equal(float.NaN, Float8.ToSingle(Float8.FromSingle(float.NaN)));
        foreach (var x in (float[])[448, 449, 1e9f, float.PositiveInfinity]) Assert.Equal((448, -448), (Float8.ToSingle(Float8.FromSingle(x)), Float8.ToSingle(Float8.FromSingle(-x))));
        for (var x = -460f; x < 460; x += x is > -0.1f and < 0.1f ? 0.0001f : 0.037f)
        {
            var found = Float8.ToSingle(Float8.FromSingle(x));
            Assert.Equal(finite.Min(b => Math.Abs(Float8.Reference(b) - x)), Math.Abs((double)found - x));
        }
        Assert.Equal(0x38, Float8.FromSingle(1.0625f));                      // halfway, the even neighbour is below
        Assert.Equal(0x3a, Float8.FromSingle(1.1875f));                      // halfway, the even neighbour is above
    }

    [Theory]
    [InlineData(1f, 0x3f80)]
    [InlineData(1.00390625f, 0x3f80)]                                        // halfway, the even neighbour is below
    [InlineData(1.01171875f, 0x3f82)]                                        // halfway, the even neighbour is above
    [InlineData(-1.004f, 0xbf81)]
    [InlineData(3.4e38f, 0x7f80)]
    [InlineData(float.NaN, 0xffc0)]
    public void Bfloat16_rounds_to_nearest_even(float value, int bits) => Assert.Equal(bits, BFloat16.FromSingle(value));
}
