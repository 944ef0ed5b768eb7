using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>Cached rows: float32 in computations, float32 or bfloat16 in memory.</summary>
internal static unsafe class RowStore
{
    public static void Run(WorkerPool pool, Tensor x, StepInput step, LayerRows rows)
    {
        const int TokensPerItem = 16;
        pool.Run(new Work(x, step, rows, TokensPerItem), (step.TokenCount + TokensPerItem - 1) / TokensPerItem);
    }

    public static void Write(float* from, byte* to, int columns, WeightType type)
    {
        if (type == WeightType.F32) new ReadOnlySpan<float>(from, columns).CopyTo(new(to, columns));
        else for (var i = 0; i < columns; i++) ((ushort*)to)[i] = BFloat16.FromSingle(from[i]);
    }

    /// <summary>The row followed by zeros up to <paramref name="padded"/> columns.</summary>
    public static void Read(byte* from, float* to, int columns, int padded, WeightType type)
    {
        if (type == WeightType.F32) new ReadOnlySpan<float>(from, columns).CopyTo(new(to, columns));
        else for (var i = 0; i < columns; i++) to[i] = BFloat16.ToSingle(((ushort*)from)[i]);
        for (var i = columns; i < padded; i++) to[i] = 0;
    }

    private readonly struct Work(Tensor x, StepInput step, LayerRows rows, int tokensPerItem) : IWork
    {
        public void Run(int item, int worker)
        {
            var size = rows.Plane.Rows;
            for (var token = item * tokensPerItem; token < Math.Min((item + 1) * tokensPerItem, step.TokenCount); token++)
            {
                var sequence = step.Sequences[step.Owners[token]];
                var slot = sequence.ContextLength - sequence.QueryLength + token - sequence.QueryStart;
                Write(x.Row(token), rows.Row(step.Blocks[sequence.FirstBlock + slot / size], slot % size), x.Columns, rows.Plane.Type);
            }
        }
    }
}
