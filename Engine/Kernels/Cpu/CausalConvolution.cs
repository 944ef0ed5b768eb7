using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// A depthwise convolution along each sequence, then silu. Taps ascend in one chain, and an input is read from the step or from the state
/// alike, so chunks do not show. An item is some channels of all sequences: nobody else touches their part of a state, which may be
/// replaced in place.
/// </summary>
internal static unsafe class CausalConvolution
{
    private const int ChannelsPerItem = 256;

    /// <summary>One channel in double.</summary>
    /// <param name="x">Its inputs from the beginning.</param>
    /// <param name="weight">[taps]</param>
    internal static double[] Reference(ReadOnlySpan<float> x, ReadOnlySpan<float> weight)
    {
        var y = new double[x.Length];
        for (var t = 0; t < x.Length; t++)
        {
            for (var j = 0; j < weight.Length; j++)
                if (t - weight.Length + 1 + j >= 0) y[t] += (double)weight[j] * x[t - weight.Length + 1 + j];
            y[t] = SiluMul.Reference(y[t], 1);
        }
        return y;
    }

    internal readonly struct Work(Tensor x, Tensor weight, StepInput step, LayerState state, Tensor into) : IWork
    {
        public int Items => (x.Columns + ChannelsPerItem - 1) / ChannelsPerItem;

        private int Taps => weight.Rows;

        public void Run(int item, int worker)
        {
            var first = item * ChannelsPerItem;
            var end = Math.Min(first + ChannelsPerItem, x.Columns);
            foreach (var sequence in step.Sequences)
            {
                for (var t = 0; t < sequence.QueryLength; t++)
                    for (var c = first; c < end; c += Simd.Lanes) Output(sequence, t, c, end - c);
                Remember(sequence, first, end - first);
            }
        }

        private void Output(StepSequenceView sequence, int t, int channel, int count)
        {
            var sum = Vector512<float>.Zero;
            for (var j = 0; j < Taps; j++)
            {
                var from = Input(sequence, t - Taps + 1 + j);
                if (from is not null) sum = Vector512.FusedMultiplyAdd(RowMath.Load(weight.Row(j) + channel, count), RowMath.Load(from + channel, count), sum);
            }
            RowMath.Store(sum / (Vector512<float>.One + Exp.Invoke(-sum)), into.Row(sequence.QueryStart + t) + channel, count);
        }

        /// <summary>The inputs that the next step sees as its past; ascending, because the source may be the target.</summary>
        private void Remember(StepSequenceView sequence, int channel, int count)
        {
            var target = state.Of(sequence.StateTarget);
            for (var i = 0; i < Taps - 1; i++)
            {
                var to = new Span<float>(target + (long)i * x.Columns + channel, count);
                var from = Input(sequence, sequence.QueryLength - Taps + 1 + i);
                if (from is null) to.Clear();
                else new ReadOnlySpan<float>(from + channel, count).CopyTo(to);
            }
        }

        /// <summary>All channels at a position relative to the step's first token; null before the sequence's beginning.</summary>
        private float* Input(StepSequenceView sequence, int t)
        {
            if (t >= 0) return x.Row(sequence.QueryStart + t);
            return sequence.StateSource < 0 ? null : state.Of(sequence.StateSource) + (long)(Taps - 1 + t) * x.Columns;
        }
    }
}
