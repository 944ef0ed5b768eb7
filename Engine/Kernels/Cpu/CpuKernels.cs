using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>The operations on the CPU: managed vectors, a fixed set of threads. One owner thread calls it.</summary>
internal sealed unsafe partial class CpuKernels(int threads) : IKernels
{
    /// <summary>Below this many floats a loop is done sooner than other threads join it.</summary>
    private const int FloatsPerItem = 16384;

    private readonly WorkerPool _pool = new(threads);
    private readonly PagedAttention _attention = new();

    public int Threads => _pool.Threads;
    internal WorkerPool Pool => _pool;

    public Matrix CreateMatrix(int rows, int columns, WeightType type) => new PackedMatrix(rows, columns, type);

    public Matrix CreateScaledMatrix(int rows, int columns, int blockColumns) => new PackedMatrix(rows, columns, WeightType.E4M3, blockColumns);

    public void Embed(StepInput step, Matrix table, Tensor into)
    {
        var work = new EmbedWork(step, (PackedMatrix)table, into);
        _pool.Run(work, step.TokenCount);
    }

    public void RmsNorm(Tensor x, Tensor weight, float epsilon, Tensor into)
    {
        var rows = RowsPerItem(x);
        var work = new RmsNorm.Work(x, weight, epsilon, into, rows);
        _pool.Run(work, Items(x, rows));
    }

    public void Linear(Tensor x, Matrix w, Tensor into) => Cpu.Linear.Run(_pool, x, (PackedMatrix)w, TileMode.Set, into);

    public void LinearAdd(Tensor x, Matrix w, Tensor into) => Cpu.Linear.Run(_pool, x, (PackedMatrix)w, TileMode.Add, into);

    public void SiluMul(Tensor gate, Tensor up, Tensor into, float limit)
    {
        var rows = RowsPerItem(gate);
        var work = new SiluMul.Work(gate, up, limit, into, rows);
        _pool.Run(work, Items(gate, rows));
    }

    public void RopeAngles(StepInput step, RopeFrequencies frequencies, Tensor cos, Tensor sin)
    {
        var work = new AnglesWork(step, frequencies, cos, sin);
        _pool.Run(work, (step.TokenCount + AnglesWork.TokensPerItem - 1) / AnglesWork.TokensPerItem);
    }

    public void Rope(Tensor x, int headDim, int start, RopePairing pairing, Tensor cos, Tensor sin)
    {
        var rows = RowsPerItem(x);
        var work = new Rope.Work(x, headDim, start, pairing, cos, sin, rows);
        _pool.Run(work, Items(x, rows));
    }

    public void StoreKv(Tensor key, Tensor value, StepInput step, LayerKv kv) => KvStore.Run(_pool, key, value, step, kv);

    public void PagedAttention(Tensor q, StepInput step, LayerKv kv, float scale, Tensor into) => _attention.Run(_pool, q, step, kv, scale, into);

    public void GatherLogitsRows(Tensor x, StepInput step, Tensor into)
    {
        for (var r = 0; r < step.LogitsCount; r++) x.RowSpan(step.LogitsRows[r]).CopyTo(into.RowSpan(r));
    }

    public void Dispose()
    {
        _pool.Dispose();
        _attention.Dispose();
        _latentAttention.Dispose();
        _indexer.Dispose();
    }

    private static int RowsPerItem(Tensor x) => Math.Max(1, FloatsPerItem / x.Columns);

    private static int Items(Tensor x, int rowsPerItem) => (x.Rows + rowsPerItem - 1) / rowsPerItem;

    private readonly struct EmbedWork(StepInput step, PackedMatrix table, Tensor into) : IWork
    {
        public void Run(int item, int worker) => table.ReadRow(step.Tokens[item], into.Row(item));
    }

    private readonly struct AnglesWork(StepInput step, RopeFrequencies frequencies, Tensor cos, Tensor sin) : IWork
    {
        public const int TokensPerItem = 16;

        public void Run(int item, int worker)
        {
            for (var t = item * TokensPerItem; t < Math.Min((item + 1) * TokensPerItem, step.TokenCount); t++)
            {
                if (frequencies.Axes is { } axes && step.Axes.Length > 0) Cpu.Rope.Angles(step.Axes[t], axes, frequencies, cos.Row(t), sin.Row(t));
                else Cpu.Rope.Angles(step.Positions[t], frequencies, cos.Row(t), sin.Row(t));
            }
        }
    }
}
