using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// An entry from its tokens: per column Σ e^(gate − max) · value / Σ e^(gate − max), tokens ascending, so it is the same sum wherever the
/// tokens come from, the step or the ring; then norm and rotation.
/// </summary>
internal static unsafe class EntryPooling
{
    public static void Run(WorkerPool pool, Tensor inputs, Compressor compressor, StepInput step, InputRing ring, EntryCache entries, Workspace.Frame frame)
    {
        var reach = Reach(compressor);
        // A worker's scratch: the entry, cos and sin, and where its tokens' inputs are.
        var scratch = frame.Tensor(pool.Threads, compressor.Columns + 2 * compressor.Rope.Angles.Length + 2 * reach + 2);
        pool.Run(new Work(inputs, compressor, step, ring, entries, scratch, reach), step.TokenCount);
        pool.Run(new KeepWork(inputs, step, ring), step.SequenceCount);      // after the entries are made: the ring still holds older tokens until then
    }

    /// <summary>Tokens that an entry is made of.</summary>
    public static int Reach(Compressor compressor) => compressor.Overlap ? 2 * compressor.Ratio : compressor.Ratio;

    /// <param name="values">[tokens][columns], the entry's tokens in order.</param>
    /// <param name="gates">[tokens][columns], biases added.</param>
    internal static double[] Reference(float[][] values, float[][] gates)
    {
        var entry = new double[values[0].Length];
        for (var c = 0; c < entry.Length; c++)
        {
            var (max, sum) = (gates.Max(gate => (double)gate[c]), 0.0);
            for (var t = 0; t < values.Length; t++)
            {
                var weight = Math.Exp(gates[t][c] - max);
                sum += weight;
                entry[c] += weight * values[t][c];
            }
            entry[c] /= sum;
        }
        return entry;
    }

    private readonly struct Work(Tensor inputs, Compressor compressor, StepInput step, InputRing ring, EntryCache entries, Tensor scratch, int reach) : IWork
    {
        public void Run(int item, int worker)
        {
            var sequence = step.Sequences[step.Owners[item]];
            var computed = sequence.ContextLength - sequence.QueryLength;
            var last = computed + item - sequence.QueryStart;
            if ((last + 1) % compressor.Ratio != 0) return;

            var entry = last / compressor.Ratio;
            var blocks = step.Blocks[sequence.FirstBlock..];
            var first = Math.Max(0, last + 1 - reach);
            var (columns, pairs) = (compressor.Columns, compressor.Rope.Angles.Length);
            float* pooled = scratch.Row(worker), cos = pooled + columns, sin = cos + pairs;
            var sources = (float**)(((nint)(sin + pairs) + 7) & ~(nint)7);
            for (var p = first; p <= last; p++) sources[p - first] = p >= computed ? inputs.Row(sequence.QueryStart + p - computed) : ring.Row(blocks, p);
            for (var c = 0; c < columns; c += Simd.Lanes) RowMath.Store(Pool(sources, first, last, c, columns - c), pooled + c, columns - c);
            RmsNorm.Invoke(pooled, compressor.Norm.Data, columns, compressor.Epsilon, pooled);
            Rope.Angles(entry * compressor.Ratio, compressor.Rope, cos, sin);
            Rope.Neighbours(pooled + columns - 2 * pairs, cos, sin, pairs);
            RowCache.Write(pooled, entries.Cache, entries.Row(blocks, entry));
        }

        /// <summary>Sixteen columns of an entry.</summary>
        private Vector512<float> Pool(float** sources, int first, int last, int column, int count)
        {
            var max = Vector512.Create(float.NegativeInfinity);
            for (var p = first; p <= last; p++) max = Vector512.Max(max, Gate(sources[p - first], p, last, column, count));
            var (sum, weighted) = (Vector512<float>.Zero, Vector512<float>.Zero);
            for (var p = first; p <= last; p++)
            {
                var weight = Exp.NotPositive(Gate(sources[p - first], p, last, column, count) - max);
                sum += weight;
                weighted = Vector512.FusedMultiplyAdd(weight, RowMath.Load(sources[p - first] + Series(p, last) + column, count), weighted);
            }
            return weighted / sum;
        }

        private Vector512<float> Gate(float* source, int p, int last, int column, int count)
        {
            column += Series(p, last);
            return RowMath.Load(source + compressor.InputColumns + column, count) + RowMath.Load(compressor.PositionBias.Row(p % compressor.Ratio) + column, count);
        }

        /// <summary>Where a token's contribution starts among its values: the entry's own tokens use the second half, those of the entry before it the first.</summary>
        private int Series(int p, int last) => compressor.Overlap && p > last - compressor.Ratio ? compressor.Columns : 0;
    }

    private readonly struct KeepWork(Tensor inputs, StepInput step, InputRing ring) : IWork
    {
        public void Run(int item, int worker)
        {
            var sequence = step.Sequences[item];
            var computed = sequence.ContextLength - sequence.QueryLength;
            var blocks = step.Blocks[sequence.FirstBlock..];
            for (var p = computed; p < sequence.ContextLength; p++)
            {
                var end = Math.Min((p / ring.BlockSize + 1) * ring.BlockSize, sequence.ContextLength);
                if (end - p > ring.Rows.Plane.Rows) p = end - ring.Rows.Plane.Rows;      // a later token of the block takes its place
                new ReadOnlySpan<float>(inputs.Row(sequence.QueryStart + p - computed), inputs.Columns).CopyTo(new(ring.Row(blocks, p), inputs.Columns));
            }
        }
    }
}
