using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class LinearTests : IDisposable
{
    private readonly CpuKernels _kernels = new(threads: 3);

    public void Dispose() => _kernels.Dispose();

    public static TheoryData<int, int, int, string> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int, int, string>();
            foreach (var type in Enum.GetNames<WeightType>())
                foreach (var (rows, n, k) in ((int, int, int)[])[(1, 1, 1), (1, 33, 7), (2, 32, 16), (3, 31, 33), (4, 64, 129), (5, 100, 64), (8, 96, 31), (9, 160, 40), (17, 65, 100), (300, 40, 24)])
                    shapes.Add(rows, n, type == nameof(WeightType.E2M1) ? k + k % 2 : k, type);
            return shapes;
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Agrees_with_the_reference(int rows, int n, int k, string type)
    {
        using var problem = new Problem(_kernels, rows, n, k, Enum.Parse<WeightType>(type));
        _kernels.Linear(problem.X, problem.W, problem.C);
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < n; column++)
                Assert.Equal(Linear.Reference(problem.X.RowSpan(row), problem.WeightRow(column)), problem.C.RowSpan(row)[column], tolerance: 1e-6 * k);
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Adding_is_the_product_plus_what_was_there(int rows, int n, int k, string type)
    {
        using var problem = new Problem(_kernels, rows, n, k, Enum.Parse<WeightType>(type));
        _kernels.Linear(problem.X, problem.W, problem.C);
        var product = problem.C.ToArray();
        var residual = Numbers.Normal(rows * n, seed: 3);
        residual.CopyTo(new Span<float>(problem.C.Data, rows * n));
        _kernels.LinearAdd(problem.X, problem.W, problem.C);
        Assert.Equal(residual.Zip(product, (r, p) => r + p), problem.C.ToArray());
    }

    [Theory, MemberData(nameof(Shapes))]
    public void A_row_alone_has_the_bits_it_has_among_others(int rows, int n, int k, string type)
    {
        using var problem = new Problem(_kernels, rows, n, k, Enum.Parse<WeightType>(type));
        _kernels.Linear(problem.X, problem.W, problem.C);
        var together = problem.C.ToArray();
        for (var row = 0; row < rows; row++)
        {
            var one = new Tensor(problem.C.Row(row), 1, n);
            one.RowSpan(0).Fill(float.NaN);
            _kernels.Linear(new Tensor(problem.X.Row(row), 1, k), problem.W, one);
        }
        Assert.Equal(together, problem.C.ToArray());
    }

    [Theory, InlineData(1), InlineData(2), InlineData(4), InlineData(5), InlineData(8)]
    public void Both_vector_widths_give_the_same_bits(int rows)
    {
        const int K = 77;
        Compare<F32Columns>(WeightType.F32);
        Compare<F16Pairs>(WeightType.F16);
        Compare<Bf16Pairs>(WeightType.BF16);
        Compare<E4M3Pairs>(WeightType.E4M3);

        void Compare<TColumns>(WeightType type) where TColumns : struct, IColumns
        {
            using var problem = new Problem(_kernels, rows, Tile.Columns, K, type);
            foreach (var mode in Enum.GetValues<TileMode>())
            {
                var start = Numbers.Normal(rows * Tile.Columns, seed: 4);
                float[] wide = [.. start], narrow = [.. start];
                fixed (float* w = wide, n = narrow)
                {
                    var tile = new Tile
                    {
                        X = problem.X.Data, XStride = K, K = K, Low = problem.W.Panel(0), High = problem.W.Panel(0) + 64, WStride = problem.W.StepBytes,
                        CStride = Tile.Columns, Rows = rows, Mode = mode,
                    };
                    tile.C = w;
                    Tile512.Run<TColumns>(tile);
                    tile.C = n;
                    Tile256.Run<TColumns>(tile);
                }
                Assert.Equal(wide, narrow);
            }
        }
    }

    [Theory, InlineData(1e-20f), InlineData(1e-3f), InlineData(1f), InlineData(1e7f)]
    public void Eight_bit_products_keep_their_precision_for_inputs_of_any_size(float size)
    {
        const int Rows = 3, N = 40, K = 700, Block = 600;                    // a block longer than what is raised at once
        using var w = (PackedMatrix)_kernels.CreateScaledMatrix(N, K, Block);
        using NativeBuffer input = Numbers.Memory(Rows * K), output = Numbers.Memory(Rows * N);
        var x = Numbers.Tensor(input, Rows, K, [.. Numbers.Normal(Rows * K, 1).Select(value => value * size)]);
        var into = new Tensor((float*)output.Address, Rows, N);
        fixed (byte* source = Numbers.Normal(N * K, 2, deviation: 0.05).Select(Float8.FromSingle).ToArray()) w.Write(0, N, source, WeightType.E4M3);   // subnormal ones among them
        for (var row = 0; row < N; row++) w.WriteScales(row, [0.01f, 3]);
        _kernels.Linear(x, w, into);
        var weights = new float[K];
        for (var n = 0; n < N; n++)
        {
            fixed (float* to = weights) w.ReadRow(n, to);
            for (var row = 0; row < Rows; row++)
            {
                double sum = 0, magnitude = 0;
                for (var k = 0; k < K; k++) (sum, magnitude) = (sum + (double)x.RowSpan(row)[k] * weights[k], magnitude + Math.Abs((double)x.RowSpan(row)[k] * weights[k]));
                Assert.Equal(sum, into.RowSpan(row)[n], 1e-6 * magnitude);
            }
        }
    }

    [Theory, InlineData(2, 33), InlineData(30, 160), InlineData(32, 40), InlineData(100, 300), InlineData(130, 31), InlineData(256, 128), InlineData(66, 1610)]   // the last with several panels at once
    public void Four_bit_products_have_the_bits_of_the_numbers_they_stand_for(int k, int n)
    {
        using var w = RandomFloat4(n, k, seed: k + n);
        using var plain = (PackedMatrix)_kernels.CreateMatrix(n, k, WeightType.F32);
        var numbers = new float[k];
        fixed (float* row = numbers)
        {
            for (var r = 0; r < n; r++)
            {
                w.ReadRow(r, row);
                plain.Write(r, 1, row, WeightType.F32);
            }
        }
        foreach (var rows in (int[])[1, 2, 5, 8, 9, 300])
        {
            using NativeBuffer input = Numbers.Memory(rows * k), a = Numbers.Memory(rows * n), b = Numbers.Memory(rows * n);
            var x = Numbers.Tensor(input, rows, k, Numbers.Normal(rows * k, seed: 3));
            Tensor expected = new((float*)a.Address, rows, n), actual = new((float*)b.Address, rows, n);
            _kernels.Linear(x, plain, expected);
            _kernels.Linear(x, w, actual);
            Assert.Equal(Bits(expected), Bits(actual));
            _kernels.LinearAdd(x, plain, expected);
            _kernels.LinearAdd(x, w, actual);
            Assert.Equal(Bits(expected), Bits(actual));
        }

        static int[] Bits(Tensor tensor) => Array.ConvertAll(tensor.ToArray(), BitConverter.SingleToInt32Bits);
    }

    [Fact]
    public void Four_bit_panels_are_widened_alike_whatever_the_width_of_a_vector()
    {
        const int K = 70;
        using var w = RandomFloat4(Tile.Columns, K, seed: 1);
        float[] wide = new float[64 * Tile.Columns], narrow = [.. wide];
        fixed (float* to = wide, other = narrow)
        {
            foreach (var (column, count) in ((int, int)[])[(0, 64), (64, 6)])
            {
                Float4Linear.Widen(w, 0, column, count, to);
                Float4Linear.WidenNarrow(w, 0, column, count, other);
                Assert.Equal(Array.ConvertAll(wide, BitConverter.SingleToInt32Bits), Array.ConvertAll(narrow, BitConverter.SingleToInt32Bits));
                Assert.Contains(wide, number => number != 0);
            }
        }
    }

    /// <summary>Any codes, factors from the smallest to those that make products of weights and inputs of every size.</summary>
    private PackedMatrix RandomFloat4(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var matrix = (PackedMatrix)_kernels.CreateMatrix(rows, columns, WeightType.E2M1);
        var codes = new byte[rows * columns / 2];
        random.NextBytes(codes);
        fixed (byte* source = codes) matrix.Write(0, rows, source, WeightType.E2M1);
        for (var row = 0; row < rows; row++) matrix.WriteScales(row, [.. Enumerable.Range(0, matrix.Blocks).Select(_ => Exponent8.ToSingle(random.Next(8) == 0 ? (byte)random.Next(3) : (byte)random.Next(110, 135)))]);
        return matrix;
    }

    [Fact]
    public void Continuing_a_partial_sum_gives_the_bits_of_one_call()
    {
        const int K = 100;
        using var problem = new Problem(_kernels, 8, Tile.Columns, K, WeightType.BF16);
        _kernels.Linear(problem.X, problem.W, problem.C);
        var whole = problem.C.ToArray();
        var tile = new Tile { X = problem.X.Data, XStride = K, Low = problem.W.Panel(0), WStride = problem.W.StepBytes, C = problem.C.Data, CStride = Tile.Columns, Rows = 8, K = 37 };
        tile.Run<Bf16Pairs>();
        tile.X += 37;
        tile.Low += 37 * problem.W.StepBytes;
        tile.K = K - 37;
        tile.Mode = TileMode.Continue;
        tile.Run<Bf16Pairs>();
        Assert.Equal(whole, problem.C.ToArray());
    }

    private sealed class Problem : IDisposable
    {
        private readonly NativeBuffer _x, _c;

        public Problem(CpuKernels kernels, int rows, int n, int k, WeightType type)
        {
            (_x, _c) = (Numbers.Memory(rows * k), Numbers.Memory(rows * n));
            X = Numbers.Tensor(_x, rows, k, Numbers.Normal(rows * k, seed: 1));
            C = new((float*)_c.Address, rows, n);
            var weights = Numbers.Normal(n * k, seed: 2);
            if (type == WeightType.E4M3)
            {
                const int Block = 24;                                        // no divisor of anything
                W = (PackedMatrix)kernels.CreateScaledMatrix(n, k, Block);
                fixed (byte* source = weights.Select(value => Float8.FromSingle(value * 16)).ToArray()) W.Write(0, n, source, type);
                for (var row = 0; row < n; row++) W.WriteScales(row, [.. Enumerable.Range(0, W.Blocks).Select(block => (1 + (row / 7 + block) % 3) / 40f)]);
                return;
            }
            W = (PackedMatrix)kernels.CreateMatrix(n, k, type);
            if (type == WeightType.E2M1)
            {
                fixed (byte* source = weights.Select(value => (byte)(value * 1000)).ToArray()) W.Write(0, n, source, type);
                for (var row = 0; row < n; row++) W.WriteScales(row, [.. Enumerable.Range(0, W.Blocks).Select(block => Exponent8.ToSingle((byte)(124 + (row + block) % 3)))]);
                return;
            }
            fixed (float* source = weights) W.Write(0, n, source, WeightType.F32);
        }

        public Tensor X { get; }
        public Tensor C { get; }
        public PackedMatrix W { get; }

        /// <summary>As kept, after rounding to the matrix's type.</summary>
        public float[] WeightRow(int row)
        {
            var values = new float[W.Columns];
            fixed (float* into = values) W.ReadRow(row, into);
            return values;
        }

        public void Dispose()
        {
            W.Dispose();
            _x.Dispose();
            _c.Dispose();
        }
    }
}
