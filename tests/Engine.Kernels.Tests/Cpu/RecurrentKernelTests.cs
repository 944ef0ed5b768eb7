using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class RecurrentKernelTests : IDisposable
{
    private const int Slots = 4;
    private readonly CpuKernels _kernels = new(threads: 3);
    private readonly Workspace _workspace = new();
    private readonly StepInput _step = new();

    public void Dispose()
    {
        _workspace.Dispose();
        _kernels.Dispose();
    }

    [Theory, InlineData(1, 4, 20), InlineData(5, 4, 300), InlineData(23, 4, 33), InlineData(9, 2, 16), InlineData(6, 1, 10), InlineData(2, 7, 257)]
    public void Convolution_agrees_with_its_reference_in_chunks_of_any_size(int tokens, int taps, int channels)
    {
        var x = Numbers.Normal(tokens * channels, seed: 1);
        var weights = Numbers.Normal(taps * channels, seed: 2);
        var plane = new StatePlane("convolution", taps - 1, channels);
        using var memory = Dirty(plane);
        var state = new LayerState((nint)memory.Address, plane.Bytes, 0, plane);
        using var frame = _workspace.Enter();
        var weight = Copy(frame, taps, channels, weights);
        float[]? whole = null;
        foreach (var chunk in (int[])[tokens, 1, 2, 3, 7])
        {
            var into = new float[tokens * channels];
            for (int at = 0, target = 1; at < tokens; at += chunk)
            {
                var count = Math.Min(chunk, tokens - at);
                var (source, next) = (target, at % 2 == 0 ? target : (target + 1) % Slots);   // now in place, now into another slot
                Fill(at, count, source, target = next);
                using var inner = _workspace.Enter();
                var y = inner.Tensor(count, channels);
                _kernels.CausalConvolution(Copy(inner, count, channels, x.AsSpan(at * channels, count * channels)), weight, _step, state, y);
                y.ToArray().CopyTo(into, at * channels);
            }
            whole ??= into;
            Assert.Equal(whole, into);                                       // the same bits
        }
        for (var c = 0; c < channels; c++)
        {
            var expected = CausalConvolution.Reference([.. Enumerable.Range(0, tokens).Select(t => x[t * channels + c])], [.. Enumerable.Range(0, taps).Select(j => weights[j * channels + c])]);
            for (var t = 0; t < tokens; t++) Assert.Equal(expected[t], whole![t * channels + c], 1e-5);
        }
    }

    [Theory, InlineData(12, 2, 4, 16, 24), InlineData(1, 1, 1, 8, 64), InlineData(9, 3, 3, 20, 128), InlineData(17, 2, 6, 33, 80), InlineData(5, 1, 2, 1, 1), InlineData(6, 1, 1, 128, 200)]
    public void Delta_rule_agrees_with_its_reference_in_chunks_of_any_size(int tokens, int keyHeads, int valueHeads, int keyDim, int valueDim)
    {
        var (keys, values) = (keyHeads * keyDim, valueHeads * valueDim);
        var (q, k) = (Numbers.Normal(tokens * keys, seed: 1, deviation: 0.3), Numbers.Normal(tokens * keys, seed: 2, deviation: 1 / Math.Sqrt(keyDim)));
        var v = Numbers.Normal(tokens * values, seed: 3);
        var random = new Random(4);
        float[] decay = [.. Enumerable.Range(0, tokens * valueHeads).Select(_ => 0.5f + 0.5f * random.NextSingle())];
        float[] rate = [.. Enumerable.Range(0, tokens * valueHeads).Select(_ => random.NextSingle())];
        var plane = DeltaShape.Plane(valueHeads, keyDim, valueDim);
        using var memory = Dirty(plane);
        var state = new LayerState((nint)memory.Address, plane.Bytes, 0, plane);
        float[]? whole = null;
        foreach (var chunk in (int[])[tokens, 1, 2, 5])
        {
            var into = new float[tokens * values];
            for (int at = 0, target = 2; at < tokens; at += chunk)
            {
                var count = Math.Min(chunk, tokens - at);
                var (source, next) = (target, at % 2 == 0 ? target : (target + 1) % Slots);
                Fill(at, count, source, target = next);
                using var frame = _workspace.Enter();
                var o = frame.Tensor(count, values);
                _kernels.GatedDelta(
                    Copy(frame, count, keys, q.AsSpan(at * keys, count * keys)), Copy(frame, count, keys, k.AsSpan(at * keys, count * keys)),
                    Copy(frame, count, values, v.AsSpan(at * values, count * values)), Copy(frame, count, valueHeads, decay.AsSpan(at * valueHeads, count * valueHeads)),
                    Copy(frame, count, valueHeads, rate.AsSpan(at * valueHeads, count * valueHeads)), keyDim, _step, state, o);
                o.ToArray().CopyTo(into, at * values);
            }
            whole ??= into;
            Assert.Equal(whole, into);
        }
        for (var head = 0; head < valueHeads; head++)
        {
            var s = Enumerable.Range(0, valueDim).Select(_ => new double[keyDim]).ToArray();
            var key = head / (valueHeads / keyHeads) * keyDim;
            for (var t = 0; t < tokens; t++)
            {
                var expected = GatedDelta.Reference(s, q.AsSpan(t * keys + key, keyDim), k.AsSpan(t * keys + key, keyDim), v.AsSpan(t * values + head * valueDim, valueDim), decay[t * valueHeads + head], rate[t * valueHeads + head]);
                for (var i = 0; i < valueDim; i++) Assert.Equal(expected[i], whole![t * values + head * valueDim + i], 1e-5);
            }
        }
    }

    [Fact]
    public void Sequences_of_a_step_do_not_touch_each_other()
    {
        const int Dim = 16;
        var plane = DeltaShape.Plane(1, Dim, Dim);
        using var memory = Dirty(plane);
        var state = new LayerState((nint)memory.Address, plane.Bytes, 0, plane);
        var batch = new StepBatch();
        for (var t = 0; t < 5; t++)
        {
            batch.Tokens.Add(0);
            batch.Positions.Add(t < 3 ? t : t - 3);
        }
        batch.Sequences.Add(new(0, 3, 3, [0], NeedsLogits: false) { StateTarget = 3 });
        batch.Sequences.Add(new(3, 2, 2, [0], NeedsLogits: false) { StateTarget = 0 });
        _step.Fill(batch, vocabSize: 1, blockSize: 16, poolBlocks: 1, maxPositions: 16, Slots);
        using var frame = _workspace.Enter();
        var x = Copy(frame, 5, Dim, [.. Numbers.Normal(2 * Dim, seed: 1), .. Numbers.Normal(Dim, seed: 2), .. Numbers.Normal(2 * Dim, seed: 1)]);
        var ones = Copy(frame, 5, 1, [0.5f, 0.5f, 0.5f, 0.5f, 0.5f]);
        var o = frame.Tensor(5, Dim);
        _kernels.GatedDelta(x, x, x, ones, ones, Dim, _step, state, o);
        Assert.Equal(o.RowSpan(0), o.RowSpan(3));
        Assert.Equal(o.RowSpan(1), o.RowSpan(4));
        Assert.True(float.IsNaN(*state.Of(1)) && float.IsNaN(*state.Of(2)));
    }

    [Theory, InlineData(1), InlineData(16), InlineData(24), InlineData(128)]
    public void L2_norm_agrees_with_its_reference(int width)
    {
        using var frame = _workspace.Enter();
        var values = Numbers.Normal(3 * 2 * width, seed: 1);
        var x = Copy(frame, 3, 2 * width, values);
        _kernels.L2Norm(x, width, 1e-6f, 0.25f);
        for (var head = 0; head < 6; head++)
        {
            var expected = L2Norm.Reference(values.AsSpan(head * width, width), 1e-6, 0.25);
            for (var i = 0; i < width; i++) Assert.Equal(expected[i], x.Row(head / 2)[head % 2 * width + i], 1e-6);
        }
    }

    [Fact]
    public void Gates_agree_with_their_reference()
    {
        const int Tokens = 70, Heads = 5;
        using var frame = _workspace.Enter();
        var (a, b) = (Numbers.Normal(Tokens * Heads, seed: 1, deviation: 5), Numbers.Normal(Tokens * Heads, seed: 2, deviation: 5));
        (a[0], a[1], b[0], b[1]) = (80, -80, 80, -80);
        var (logRate, bias) = (Numbers.Normal(Heads, seed: 3), Numbers.Normal(Heads, seed: 4));
        var (decay, rate) = (Copy(frame, Tokens, Heads, a), Copy(frame, Tokens, Heads, b));
        _kernels.DeltaGates(Copy(frame, 1, Heads, logRate), Copy(frame, 1, Heads, bias), decay, rate);
        for (var i = 0; i < Tokens * Heads; i++)
        {
            Assert.Equal(GatedDelta.ReferenceDecay(a[i], logRate[i % Heads], bias[i % Heads]), decay.Row(i / Heads)[i % Heads], 1e-6);
            Assert.Equal(1 / (1 + Math.Exp(-b[i])), rate.Row(i / Heads)[i % Heads], 1e-6);
        }
    }

    [Fact]
    public void A_sigmoid_gate_scales_each_element()
    {
        using var frame = _workspace.Enter();
        var (gates, values) = (Numbers.Normal(3 * 37, seed: 1), Numbers.Normal(3 * 37, seed: 2));
        var x = Copy(frame, 3, 37, values);
        _kernels.SigmoidScale(Copy(frame, 3, 37, gates), x);
        for (var i = 0; i < values.Length; i++) Assert.Equal(values[i] / (1 + Math.Exp(-gates[i])), x.Row(i / 37)[i % 37], 1e-6);
    }

    /// <summary>Slots full of NaN: a state that nobody wrote shows.</summary>
    private static NativeBuffer Dirty(StatePlane plane)
    {
        var memory = new NativeBuffer(Slots * plane.Bytes);
        new Span<byte>(memory.Address, (int)memory.Bytes).Fill(0xff);
        return memory;
    }

    private static Tensor Copy(Workspace.Frame frame, int rows, int columns, ReadOnlySpan<float> values)
    {
        var tensor = frame.Tensor(rows, columns);
        for (var row = 0; row < rows; row++) values.Slice(row * columns, columns).CopyTo(tensor.RowSpan(row));
        return tensor;
    }

    private void Fill(int start, int count, int source, int target)
    {
        var batch = new StepBatch();
        for (var i = 0; i < count; i++)
        {
            batch.Tokens.Add(0);
            batch.Positions.Add(start + i);
        }
        batch.Sequences.Add(new(0, count, start + count, [.. Enumerable.Repeat(0, 8)], NeedsLogits: false) { StateSource = source, StateTarget = target });
        _step.Fill(batch, vocabSize: 1, blockSize: 16, poolBlocks: 1, maxPositions: 1000, Slots);
    }
}
