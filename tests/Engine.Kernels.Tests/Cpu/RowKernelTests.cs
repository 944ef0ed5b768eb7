using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class RowKernelTests
{
    public static TheoryData<int> Widths => [1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 100, 4096];

    [Theory, MemberData(nameof(Widths))]
    public void Rms_norm_agrees_with_its_reference(int width)
    {
        var (x, weight) = (Numbers.Normal(width, seed: 1, deviation: 3), Numbers.Normal(width, seed: 2));
        var (y, expected) = (new float[width + 1], new double[width]);
        y[width] = 42;
        fixed (float* px = x, pw = weight, py = y) RmsNorm.Invoke(px, pw, width, 1e-6f, py);
        RmsNorm.Reference(x, weight, 1e-6, expected);
        for (var i = 0; i < width; i++) Assert.Equal(expected[i], y[i], tolerance: 2e-6 * Math.Max(1, Math.Abs(expected[i])));
        Assert.Equal(42, y[width]);
    }

    [Fact]
    public void Rms_norm_of_heads_is_the_norm_of_each()
    {
        const int Heads = 5, Width = 24, Rows = 40;
        using var kernels = new CpuKernels(2);
        using var memory = Numbers.Memory(Rows * Heads * Width);
        using var weights = Numbers.Memory(Width);
        var values = Numbers.Normal(Rows * Heads * Width, seed: 1);
        var x = Numbers.Tensor(memory, Rows, Heads * Width, values);
        kernels.RmsNorm(x, Numbers.Tensor(weights, 1, Width, Numbers.Normal(Width, seed: 2)), 1e-6f, x);
        var expected = new double[Width];
        for (var head = 0; head < Rows * Heads; head++)
        {
            RmsNorm.Reference(values.AsSpan(head * Width, Width), new(weights.Address, Width), 1e-6, expected);
            for (var i = 0; i < Width; i++) Assert.Equal(expected[i], x.Data[head * Width + i], 1e-5);
        }
    }

    [Theory, MemberData(nameof(Widths))]
    public void Silu_mul_agrees_with_its_reference(int width)
    {
        var (gate, up) = (Numbers.Normal(width, seed: 1, deviation: 10), Numbers.Normal(width, seed: 2));
        if (width > 16) (gate[0], gate[1], gate[2], gate[16]) = (-200, 200, 0, -88);
        var y = new float[width + 1];
        y[width] = 42;
        fixed (float* pg = gate, pu = up, py = y) SiluMul.Invoke(pg, pu, width, py);
        for (var i = 0; i < width; i++)
        {
            var expected = SiluMul.Reference(gate[i], up[i]);
            Assert.Equal(expected, y[i], tolerance: 1e-6 * Math.Max(1e-3, Math.Abs(expected)));
        }
        Assert.Equal(42, y[width]);
    }

    [Fact]
    public void Exp_is_within_two_ulp_of_its_reference()
    {
        for (var x = -87.3f; x < 88.7f; x += 0.0137f)
        {
            var (expected, actual) = (Exp.Reference(x), Exp.Invoke(x));
            Assert.Equal(expected, actual, tolerance: 2.4e-7 * expected);
            if (x <= 0) Assert.Equal(actual, Exp.NotPositive(Vector512.Create(x)).ToScalar());
        }
        foreach (var x in (float[])[0, -88, float.NegativeInfinity, float.NaN]) Assert.Equal(Exp.Invoke(x), Exp.NotPositive(Vector512.Create(x)).ToScalar());
        Assert.Equal(1, Exp.Invoke(0f));
        Assert.Equal(0, Exp.Invoke(-88f));
        Assert.Equal(0, Exp.Invoke(float.NegativeInfinity));
        Assert.Equal(float.PositiveInfinity, Exp.Invoke(89f));
        Assert.Equal(float.PositiveInfinity, Exp.Invoke(float.PositiveInfinity));
        Assert.Equal(float.NaN, Exp.Invoke(float.NaN));
    }

    [Theory, InlineData(2), InlineData(16), InlineData(48), InlineData(128), InlineData(130)]
    public void Rope_agrees_with_its_reference(int dim)
    {
        var yarn = new YarnScaling { Factor = 4, OriginalMaxPositions = 64, AttentionFactor = YarnScaling.MScale(4) };
        foreach (var frequencies in (RopeFrequencies[])[RopeFrequencies.Create(dim, 10000, null), RopeFrequencies.Create(dim, 10000, yarn)])
        {
            foreach (var position in (int[])[0, 1, 77, 40000])
            {
                var (head, expected) = (Numbers.Normal(dim, seed: 1), new double[dim]);
                Rope.Reference(head, position, frequencies, expected);
                float[] cos = new float[dim / 2], sin = new float[dim / 2];
                fixed (float* ph = head, pc = cos, ps = sin)
                {
                    Rope.Angles(position, frequencies, pc, ps);
                    Rope.Invoke(ph, pc, ps, dim / 2);
                }
                for (var i = 0; i < dim; i++) Assert.Equal(expected[i], head[i], 1e-5);
            }
        }
    }

    [Theory, InlineData(16, 0, 16), InlineData(40, 24, 16), InlineData(24, 0, 16), InlineData(64, 0, 26), InlineData(6, 4, 2), InlineData(576, 512, 64)]
    public void Rope_turns_any_part_of_a_head_in_either_pairing(int headDim, int start, int rotated)
    {
        const int Heads = 3, Tokens = 5;
        var frequencies = RopeFrequencies.Create(rotated, 50000, new YarnScaling { Factor = 32, OriginalMaxPositions = 64, BetaFast = 1, BetaSlow = 1, AttentionFactor = 1 });
        var input = Numbers.Normal(Tokens * Heads * headDim, seed: 3);
        using var kernels = new CpuKernels(2);
        using NativeBuffer memory = Numbers.Memory(input.Length), angles = Numbers.Memory(2 * Tokens * rotated);
        var (cos, sin) = (new Tensor((float*)angles.Address, Tokens, rotated / 2), new Tensor((float*)angles.Address + Tokens * rotated, Tokens, rotated / 2));
        for (var t = 0; t < Tokens; t++) Rope.Angles(7 * t, frequencies, cos.Row(t), sin.Row(t));
        foreach (var pairing in (RopePairing[])[RopePairing.Halves, RopePairing.Neighbours])
        {
            var x = Numbers.Tensor(memory, Tokens, Heads * headDim, input);
            kernels.Rope(x, headDim, start, pairing, cos, sin);
            var expected = new double[rotated];
            for (var i = 0; i < Tokens * Heads; i++)
            {
                var before = input.AsSpan(i * headDim, headDim);
                var after = x.RowSpan(i / Heads).Slice(i % Heads * headDim, headDim);
                Rope.Reference(before.Slice(start, rotated), 7 * (i / Heads), frequencies, expected, pairing);
                Assert.Equal(before[..start], after[..start]);
                Assert.Equal(before[(start + rotated)..], after[(start + rotated)..]);
                for (var d = 0; d < rotated; d++) Assert.Equal(expected[d], after[start + d], 1e-5);
            }
        }
    }

    [Fact]
    public void Yarn_keeps_fast_pairs_and_stretches_slow_ones()
    {
        var plain = RopeFrequencies.Create(128, 1e6, null);
        var yarn = RopeFrequencies.Create(128, 1e6, new YarnScaling { Factor = 4, OriginalMaxPositions = 32768, AttentionFactor = YarnScaling.MScale(4) });
        Assert.Equal(plain.Angles[0], yarn.Angles[0]);
        Assert.Equal(plain.Angles[^1] / 4, yarn.Angles[^1]);
        Assert.Equal(0.1 * Math.Log(4) + 1, yarn.Scale, 1e-6);
        Assert.True(yarn.Angles.Zip(plain.Angles, (y, p) => y / p).Zip(yarn.Angles.Zip(plain.Angles, (y, p) => y / p).Skip(1), (a, b) => a >= b - 1e-6).All(falls => falls));
    }

    [Fact]
    public void Linear_scaling_slows_all_pairs_and_that_of_llama_the_slow_ones()
    {
        const int Original = 8192;
        var plain = RopeFrequencies.Create(128, 500_000, null).Angles;
        var linear = RopeFrequencies.Create(128, 500_000, new LinearScaling(3));
        var llama = RopeFrequencies.Create(128, 500_000, new Llama3Scaling(8, 1, 4, Original));
        Assert.Equal((1f, 1f), (linear.Scale, llama.Scale));
        var between = 0;
        for (var i = 0; i < plain.Length; i++)
        {
            Assert.Equal(plain[i] / 3, linear.Angles[i], 1e-7);
            var wavelength = 2 * Math.PI / plain[i];
            var smooth = (Original / wavelength - 1) / (4 - 1);
            var expected = wavelength < Original / 4.0 ? plain[i] : wavelength > Original / 1.0 ? plain[i] / 8 : (1 - smooth) * plain[i] / 8 + smooth * plain[i];
            Assert.Equal(1, llama.Angles[i] / expected, 1e-5);
            if (wavelength is > Original / 4.0 and < Original) between++;
        }
        Assert.InRange(between, 1, 20);
    }

    [Theory, InlineData(1, 200), InlineData(16, 33), InlineData(64, 64)]
    public void Embedding_looks_up_rows(int tokens, int width)
    {
        const int Vocab = 70;
        var table = Numbers.Normal(Vocab * width, seed: 1);
        using var kernels = new CpuKernels(2);
        using var matrix = kernels.CreateMatrix(Vocab, width, WeightType.F32);
        fixed (float* source = table) matrix.Write(0, Vocab, source, WeightType.F32);
        var step = new StepInput();
        var batch = new StepBatch();
        for (var i = 0; i < tokens; i++)
        {
            batch.Tokens.Add(i * 31 % Vocab);
            batch.Positions.Add(i);
        }
        batch.Sequences.Add(new(0, tokens, tokens, [0], NeedsLogits: false));
        step.Fill(batch, Vocab, blockSize: 64, poolBlocks: 1, maxPositions: 64);
        using var memory = Numbers.Memory(tokens * width);
        var into = new Tensor((float*)memory.Address, tokens, width);
        kernels.Embed(step, matrix, into);
        for (var i = 0; i < tokens; i++) Assert.Equal(table.AsSpan(i * 31 % Vocab * width, width), into.RowSpan(i));
    }
}
