using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// The gated delta rule as a recurrence, one token after the other: the result of a token is the same however its sequence was cut into steps.
/// The rows of S (value dims) never mix, so vectors run across them and an item is a few panels of one head; a panel stays in the first cache
/// while the tokens pass. Sums over key dims are one chain, dims ascending.
/// </summary>
internal static unsafe class GatedDelta
{
    private const int PanelsPerItem = 4;

    /// <summary>One head in double; <paramref name="s"/> [value dims][key dims] is read and left as the state after the token.</summary>
    internal static double[] Reference(double[][] s, ReadOnlySpan<float> q, ReadOnlySpan<float> k, ReadOnlySpan<float> v, double decay, double rate)
    {
        var o = new double[v.Length];
        for (var i = 0; i < v.Length; i++)
        {
            double recalled = 0;
            for (var j = 0; j < k.Length; j++) recalled += (s[i][j] *= decay) * k[j];
            for (var j = 0; j < k.Length; j++) o[i] += (s[i][j] += rate * (v[i] - recalled) * k[j]) * q[j];
        }
        return o;
    }

    internal static double ReferenceDecay(double x, double logRate, double bias) => Math.Exp(-Math.Exp(logRate) * Math.Log(1 + Math.Exp(x + bias)));

    internal readonly struct Gates(Tensor logRate, Tensor bias, Tensor decay, Tensor rate) : IWork
    {
        private const int TokensPerItem = 32;

        public int Items => (decay.Rows + TokensPerItem - 1) / TokensPerItem;

        public void Run(int item, int worker)
        {
            var end = Math.Min((item + 1) * TokensPerItem, decay.Rows);
            for (var t = item * TokensPerItem; t < end; t++)
            {
                float* a = decay.Row(t), b = rate.Row(t);
                for (var head = 0; head < decay.Columns; head++)
                {
                    a[head] = (float)Math.Exp(-Math.Exp(logRate.Data[head]) * ExpertRouting.Softplus(a[head] + bias.Data[head]));
                    b[head] = 1 / (1 + Exp.Invoke(-b[head]));
                }
            }
        }
    }

    internal readonly struct Work(Tensor q, Tensor k, Tensor v, Tensor decay, Tensor rate, int keyDim, StepInput step, LayerState state, Tensor into) : IWork
    {
        private int Heads => decay.Columns;
        private int ValueDim => v.Columns / Heads;
        private int Panels => DeltaShape.Panels(ValueDim);
        private int ItemsPerHead => (Panels + PanelsPerItem - 1) / PanelsPerItem;
        public int Items => step.SequenceCount * Heads * ItemsPerHead;

        public void Run(int item, int worker)
        {
            var sequence = step.Sequences[item / (Heads * ItemsPerHead)];
            var head = item / ItemsPerHead % Heads;
            var first = item % ItemsPerHead * PanelsPerItem;
            var end = Math.Min(first + PanelsPerItem, Panels);
            var offset = (head * (long)Panels + first) * keyDim * DeltaShape.Panel;
            var s = state.Of(sequence.StateTarget) + offset;
            var floats = (end - first) * keyDim * DeltaShape.Panel;
            if (sequence.StateSource < 0) new Span<float>(s, floats).Clear();
            else if (sequence.StateSource != sequence.StateTarget) new ReadOnlySpan<float>(state.Of(sequence.StateSource) + offset, floats).CopyTo(new(s, floats));

            if (end - first == PanelsPerItem && end * DeltaShape.Panel <= ValueDim) Four(sequence, head, first, s);
            else for (var panel = first; panel < end; panel++, s += keyDim * DeltaShape.Panel) One(sequence, head, panel, s);
        }

        /// <summary>64 value dims.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Four(StepSequenceView sequence, int head, int panel, float* s)
        {
            var keyColumn = head / (Heads / (k.Columns / keyDim)) * keyDim;
            var valueColumn = head * ValueDim + panel * DeltaShape.Panel;
            var (size, dims) = ((nint)keyDim * DeltaShape.Panel, (nint)keyDim);
            float* s0 = s, s1 = s + size, s2 = s1 + size, s3 = s2 + size;
            for (var token = sequence.QueryStart; token < sequence.QueryStart + sequence.QueryLength; token++)
            {
                float* kt = k.Row(token) + keyColumn, qt = q.Row(token) + keyColumn, vt = v.Row(token) + valueColumn, ot = into.Row(token) + valueColumn;
                var (alpha, beta) = (Vector512.Create(decay.Row(token)[head]), Vector512.Create(rate.Row(token)[head]));
                Vector512<float> m0 = default, m1 = default, m2 = default, m3 = default;
                for (nint i = 0; i < dims; i++)
                {
                    var x = Vector512.Create(kt[i]);
                    m0 = Vector512.FusedMultiplyAdd(Vector512.Load(s0 + i * 16), x, m0);
                    m1 = Vector512.FusedMultiplyAdd(Vector512.Load(s1 + i * 16), x, m1);
                    m2 = Vector512.FusedMultiplyAdd(Vector512.Load(s2 + i * 16), x, m2);
                    m3 = Vector512.FusedMultiplyAdd(Vector512.Load(s3 + i * 16), x, m3);
                }
                m0 = (Vector512.Load(vt) - alpha * m0) * beta;
                m1 = (Vector512.Load(vt + 16) - alpha * m1) * beta;
                m2 = (Vector512.Load(vt + 32) - alpha * m2) * beta;
                m3 = (Vector512.Load(vt + 48) - alpha * m3) * beta;
                Vector512<float> o0 = default, o1 = default, o2 = default, o3 = default;
                for (nint i = 0; i < dims; i++)
                {
                    var (x, y) = (Vector512.Create(kt[i]), Vector512.Create(qt[i]));
                    var n0 = Vector512.FusedMultiplyAdd(x, m0, Vector512.Load(s0 + i * 16) * alpha);
                    var n1 = Vector512.FusedMultiplyAdd(x, m1, Vector512.Load(s1 + i * 16) * alpha);
                    var n2 = Vector512.FusedMultiplyAdd(x, m2, Vector512.Load(s2 + i * 16) * alpha);
                    var n3 = Vector512.FusedMultiplyAdd(x, m3, Vector512.Load(s3 + i * 16) * alpha);
                    n0.Store(s0 + i * 16);
                    n1.Store(s1 + i * 16);
                    n2.Store(s2 + i * 16);
                    n3.Store(s3 + i * 16);
                    o0 = Vector512.FusedMultiplyAdd(n0, y, o0);
                    o1 = Vector512.FusedMultiplyAdd(n1, y, o1);
                    o2 = Vector512.FusedMultiplyAdd(n2, y, o2);
                    o3 = Vector512.FusedMultiplyAdd(n3, y, o3);
                }
                o0.Store(ot);
                o1.Store(ot + 16);
                o2.Store(ot + 32);
                o3.Store(ot + 48);
            }
        }

        /// <summary>Up to 16 value dims: the same operations.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void One(StepSequenceView sequence, int head, int panel, float* s)
        {
            var keyColumn = head / (Heads / (k.Columns / keyDim)) * keyDim;
            var valueColumn = head * ValueDim + panel * DeltaShape.Panel;
            var count = Math.Min(DeltaShape.Panel, ValueDim - panel * DeltaShape.Panel);
            for (var token = sequence.QueryStart; token < sequence.QueryStart + sequence.QueryLength; token++)
            {
                float* kt = k.Row(token) + keyColumn, qt = q.Row(token) + keyColumn;
                var (alpha, beta) = (Vector512.Create(decay.Row(token)[head]), Vector512.Create(rate.Row(token)[head]));
                var m = Vector512<float>.Zero;
                for (nint i = 0; i < keyDim; i++) m = Vector512.FusedMultiplyAdd(Vector512.Load(s + i * 16), Vector512.Create(kt[i]), m);
                m = (RowMath.Load(v.Row(token) + valueColumn, count) - alpha * m) * beta;
                var o = Vector512<float>.Zero;
                for (nint i = 0; i < keyDim; i++)
                {
                    var n = Vector512.FusedMultiplyAdd(Vector512.Create(kt[i]), m, Vector512.Load(s + i * 16) * alpha);
                    n.Store(s + i * 16);
                    o = Vector512.FusedMultiplyAdd(n, Vector512.Create(qt[i]), o);
                }
                RowMath.Store(o, into.Row(token) + valueColumn, count);
            }
        }
    }
}
