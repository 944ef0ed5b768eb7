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

    [Theory]
    [InlineData(1f, 0x3f80)]
    [InlineData(1.00390625f, 0x3f80)]                                        // halfway, the even neighbour is below
    [InlineData(1.01171875f, 0x3f82)]                                        // halfway, the even neighbour is above
    [InlineData(-1.004f, 0xbf81)]
    [InlineData(3.4e38f, 0x7f80)]
    [InlineData(float.NaN, 0xffc0)]
    public void Bfloat16_rounds_to_nearest_even(float value, int bits) => Assert.Equal(bits, BFloat16.FromSingle(value));
}
