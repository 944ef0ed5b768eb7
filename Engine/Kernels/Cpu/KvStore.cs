using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>Writes keys and values to their slots, converted to the cache's type.</summary>
internal static unsafe class KvStore
{
    public static void Run(WorkerPool pool, Tensor key, Tensor value, StepInput step, LayerKv kv)
    {
        var work = new Work(key, value, step, kv);
        pool.Run(work, step.TokenCount < 8 ? 1 : kv.Geometry.Heads);
    }

    /// <summary>One head an item, or all of them where there are too few tokens to share out.</summary>
    private readonly struct Work(Tensor key, Tensor value, StepInput step, LayerKv kv) : IWork
    {
        public void Run(int item, int worker)
        {
            if (step.TokenCount >= 8) Head(item);
            else for (var head = 0; head < kv.Geometry.Heads; head++) Head(head);
        }

        private void Head(int head)
        {
            var (dim, size) = (kv.Geometry.HeadDim, kv.Geometry.BlockSize);
            foreach (var sequence in step.Sequences)
            {
                for (var i = 0; i < sequence.QueryLength; i++)
                {
                    var slot = sequence.ContextLength - sequence.QueryLength + i;
                    var block = step.Blocks[sequence.FirstBlock + slot / size];
                    var k = key.Row(sequence.QueryStart + i) + head * dim;
                    var v = value.Row(sequence.QueryStart + i) + head * dim;
                    if (kv.Geometry.Type == WeightType.F32) Store((float*)kv.Key(block, head), (float*)kv.Value(block, head), slot % size, k, v, dim, size);
                    else if (kv.Geometry.Type == WeightType.E4M3)
                    {
                        kv.KeyScales(block, head)[slot % size] = StoreScaled(k, dim, kv.Key(block, head) + (long)(slot % size / KvGeometry.Panel) * dim * KvGeometry.Panel + slot % KvGeometry.Panel, panelStride: KvGeometry.Panel * KvGeometry.Panel, stride: KvGeometry.Panel);
                        kv.ValueScales(block, head)[slot % size] = StoreScaled(v, dim, kv.Value(block, head) + slot % size * KvGeometry.Panel, panelStride: (long)size * KvGeometry.Panel, stride: 1);
                    }
                    else Store((ushort*)kv.Key(block, head), (ushort*)kv.Value(block, head), slot % size, k, v, dim, size);
                }
            }
        }

        private static void Store(float* keys, float* values, int slot, float* k, float* v, int dim, int size)
        {
            var key = keys + (long)(slot / KvGeometry.Panel) * dim * KvGeometry.Panel + slot % KvGeometry.Panel;
            for (var d = 0; d < dim; d++) key[d * KvGeometry.Panel] = k[d];
            var value = values + slot * KvGeometry.Panel;
            for (var d = 0; d < dim; d++) value[(long)(d / KvGeometry.Panel) * size * KvGeometry.Panel + d % KvGeometry.Panel] = v[d];
        }

        private static void Store(ushort* keys, ushort* values, int slot, float* k, float* v, int dim, int size)
        {
            var key = keys + (long)(slot / KvGeometry.Panel) * dim * KvGeometry.Panel + slot % KvGeometry.Panel;
            for (var d = 0; d < dim; d++) key[d * KvGeometry.Panel] = BFloat16.FromSingle(k[d]);
            var value = values + slot * KvGeometry.Panel;
            for (var d = 0; d < dim; d++) value[(long)(d / KvGeometry.Panel) * size * KvGeometry.Panel + d % KvGeometry.Panel] = BFloat16.FromSingle(v[d]);
        }

        /// <summary>A row divided by its power of two, whose exponent is returned; sixteen columns a panel.</summary>
        private static byte StoreScaled(float* row, int dim, byte* to, long panelStride, int stride)
        {
            var largest = 0f;
            for (var d = 0; d < dim; d++) largest = MathF.Max(largest, MathF.Abs(row[d]));
            var scale = Float8.Scale(largest);
            var inverse = 1 / scale;                                         // exact: a power of two
            for (var d = 0; d < dim; d++) to[d / KvGeometry.Panel * panelStride + d % KvGeometry.Panel * stride] = Float8.FromSingle(row[d] * inverse);
            return (byte)(BitConverter.SingleToUInt32Bits(scale) >> 23);
        }
    }
}
