using System.Runtime.Intrinsics;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// Parallel residual streams: collapsed by one set of weights before a layer, mixed by another after it. The mixing matrix is a softmax by rows,
/// then columns and rows are normalised in turn, columns first and last.
/// </summary>
internal static unsafe class HyperConnection
{
    /// <param name="mix">Logits, replaced by weights: [pre n ‖ post n ‖ combine n × n], or pre alone.</param>
    /// <param name="whole">False: pre alone.</param>
    /// <param name="w">Scales and offsets.</param>
    public static void Weights(float* mix, bool whole, HyperWeights w)
    {
        var n = w.Streams;
        var offset = w.Base.Data;
        for (var i = 0; i < n; i++) mix[i] = Sigmoid(mix[i] * w.Scale.Data[0] + offset[i]) + w.Epsilon;
        if (!whole) return;
        for (var i = n; i < 2 * n; i++) mix[i] = 2 * Sigmoid(mix[i] * w.Scale.Data[1] + offset[i]);
        var combine = mix + 2 * n;
        for (var row = 0; row < n; row++)
        {
            var values = combine + row * n;
            var (max, sum) = (float.NegativeInfinity, 0f);
            for (var i = 0; i < n; i++) max = MathF.Max(max, values[i] = values[i] * w.Scale.Data[2] + offset[2 * n + row * n + i]);
            for (var i = 0; i < n; i++) sum += values[i] = Exp.Invoke(values[i] - max);
            for (var i = 0; i < n; i++) values[i] = values[i] / sum + w.Epsilon;
        }
        Normalise(combine, n, lines: 1, along: n, w.Epsilon);
        for (var iteration = 1; iteration < w.Iterations; iteration++)
        {
            Normalise(combine, n, lines: n, along: 1, w.Epsilon);
            Normalise(combine, n, lines: 1, along: n, w.Epsilon);
        }
    }

    internal static double[] Reference(float[] logits, float[] scale, float[] offset, int n, double epsilon, int iterations)
    {
        var weights = new double[2 * n + n * n];
        for (var i = 0; i < 2 * n; i++)
        {
            var sigmoid = 1 / (1 + Math.Exp(-(logits[i] * (double)scale[i / n] + offset[i])));
            weights[i] = i < n ? sigmoid + epsilon : 2 * sigmoid;
        }
        var combine = new double[n, n];
        for (var r = 0; r < n; r++)
        {
            var row = Enumerable.Range(2 * n + r * n, n).Select(i => logits[i] * (double)scale[2] + offset[i]).ToArray();
            var sum = row.Sum(x => Math.Exp(x - row.Max()));
            for (var c = 0; c < n; c++) combine[r, c] = Math.Exp(row[c] - row.Max()) / sum + epsilon;
        }
        for (var step = 0; step < 2 * iterations - 1; step++)
        {
            for (var i = 0; i < n; i++)
            {
                var sum = epsilon;
                for (var j = 0; j < n; j++) sum += step % 2 == 0 ? combine[j, i] : combine[i, j];
                for (var j = 0; j < n; j++)
                    if (step % 2 == 0) combine[j, i] /= sum;
                    else combine[i, j] /= sum;
            }
        }
        for (var i = 0; i < n * n; i++) weights[2 * n + i] = combine[i / n, i % n];
        return weights;
    }

    /// <summary>Divides every line of an n × n matrix by its sum.</summary>
    private static void Normalise(float* matrix, int n, int lines, int along, float epsilon)
    {
        for (var line = 0; line < n; line++)
        {
            var first = matrix + line * lines;
            var sum = 0f;
            for (var i = 0; i < n; i++) sum += first[i * along];
            sum += epsilon;
            for (var i = 0; i < n; i++) first[i * along] /= sum;
        }
    }

    private static float Sigmoid(float x) => 1 / (1 + Exp.Invoke(-x));

    internal readonly struct CollapseWork(Tensor streams, Tensor mix, HyperWeights weights, Tensor into, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var (n, width) = (weights.Streams, into.Columns);
            var end = Math.Min((item + 1) * rowsPerItem, streams.Rows);
            for (var row = item * rowsPerItem; row < end; row++)
            {
                float* from = streams.Row(row), to = into.Row(row), pre = mix.Row(row);
                Weights(pre, whole: mix.Columns > n, weights);
                for (var c = 0; c < width; c += Simd.Lanes)
                {
                    var sum = Vector512<float>.Zero;
                    for (var i = 0; i < n; i++) sum = Vector512.FusedMultiplyAdd(Vector512.Create(pre[i]), RowMath.Load(from + i * width + c, width - c), sum);
                    RowMath.Store(sum, to + c, width - c);
                }
            }
        }
    }

    internal readonly struct ExpandWork(Tensor x, Tensor mix, Tensor streams, int rowsPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var width = x.Columns;
            var n = streams.Columns / width;
            var old = stackalloc float[n * Simd.Lanes];
            var end = Math.Min((item + 1) * rowsPerItem, streams.Rows);
            for (var row = item * rowsPerItem; row < end; row++)
            {
                float* to = streams.Row(row), from = x.Row(row), post = mix.Row(row) + n, combine = post + n;
                for (var c = 0; c < width; c += Simd.Lanes)
                {
                    for (var j = 0; j < n; j++) RowMath.Load(to + j * width + c, width - c).Store(old + j * Simd.Lanes);
                    for (var i = 0; i < n; i++)
                    {
                        var sum = Vector512.Create(post[i]) * RowMath.Load(from + c, width - c);
                        for (var j = 0; j < n; j++) sum = Vector512.FusedMultiplyAdd(Vector512.Create(combine[j * n + i]), Vector512.Load(old + j * Simd.Lanes), sum);
                        RowMath.Store(sum, to + i * width + c, width - c);
                    }
                }
            }
        }
    }
}
