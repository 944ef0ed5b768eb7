using System.Diagnostics;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Benchmarks.Compute;

/// <summary>
/// Products of some rows with matrices of every type that weights are kept in, as many as no cache holds. Types take turns in every round and the
/// best round counts; the ceilings are taken before and after, the higher one counts.
/// </summary>
internal static unsafe class KernelBenchmark
{
    private const int Rounds = 7;
    private const long WeightBytes = 256L << 20;

    public static KernelReport Run(int features, int columns, IReadOnlyList<int> rows, int threads)
    {
        using var kernels = new CpuKernels(threads);
        var types = Enum.GetValues<WeightType>();
        var matrices = types.Select(type => Matrices(kernels, type, features, columns)).ToArray();
        double peak = Ceilings.PeakGflops(threads), bandwidth = Ceilings.ReadGigabytesPerSecond(threads);
        var results = new List<KernelResult>();
        foreach (var count in rows)
        {
            using NativeBuffer input = new((long)count * columns * sizeof(float)), output = new((long)count * features * sizeof(float));
            Tensor x = new((float*)input.Address, count, columns), into = new((float*)output.Address, count, features);
            var random = new Random(1);
            for (var row = 0; row < count; row++) foreach (ref var value in x.RowSpan(row)) value = random.NextSingle() - 0.5f;
            var best = types.Select(_ => double.MaxValue).ToArray();
            for (var round = 0; round < Rounds; round++)
                for (var i = 0; i < types.Length; i++) best[i] = Math.Min(best[i], Seconds(kernels, x, matrices[i], into));
            for (var i = 0; i < types.Length; i++)
            {
                results.Add(new()
                {
                    Type = types[i].ToString(),
                    Rows = count,
                    Microseconds = best[i] * 1e6,
                    GigabytesPerSecond = matrices[i][0].Bytes / best[i] / 1e9,
                    Gflops = 2.0 * count * features * columns / best[i] / 1e9,
                });
            }
        }
        foreach (var matrix in matrices.SelectMany(list => list)) matrix.Dispose();
        return new()
        {
            Features = features,
            Columns = columns,
            Threads = threads,
            MemoryBandwidth = Math.Max(bandwidth, Ceilings.ReadGigabytesPerSecond(threads)),
            PeakGflops = Math.Max(peak, Ceilings.PeakGflops(threads)),
            Results = results,
        };
    }

    /// <summary>Of one product, over all matrices of a type.</summary>
    private static double Seconds(CpuKernels kernels, Tensor x, Matrix[] matrices, Tensor into)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var matrix in matrices) kernels.Linear(x, matrix, into);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / matrices.Length;
    }

    private static Matrix[] Matrices(CpuKernels kernels, WeightType type, int features, int columns)
    {
        const int Block = 128;
        var bytes = new byte[WeightType.F32.Bytes((long)columns)];
        new Random(2).NextBytes(bytes);
        for (var i = 0; i < bytes.Length; i++) bytes[i] &= 0xbd;             // finite in every type
        var matrices = new Matrix[Math.Max(2, WeightBytes / type.Bytes((long)features * columns))];
        for (var m = 0; m < matrices.Length; m++)
        {
            var matrix = matrices[m] = type == WeightType.E4M3 ? kernels.CreateScaledMatrix(features, columns, Block) : kernels.CreateMatrix(features, columns, type);
            var factors = new float[type switch { WeightType.E4M3 => (columns + Block - 1) / Block, WeightType.E2M1 => (columns + Float4.Group - 1) / Float4.Group, _ => 0 }];
            Array.Fill(factors, 0.5f);
            fixed (byte* source = bytes)
            {
                for (var row = 0; row < features; row++)
                {
                    matrix.Write(row, 1, source, type);
                    if (type.IsScaled()) matrix.WriteScales(row, factors);
                }
            }
        }
        return matrices;
    }
}
