using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Models;

namespace NanoAspire.Engine.Execution;

/// <summary>Runs a draft module over blocks of its own, which only this engine ever reads. Owns the hidden rows; the rest is its model runner's.</summary>
internal sealed unsafe class DraftRunner(ModelInfo info, IDraftModule module, KvArena kv, Workspace workspace, int maxBatchedTokens) : IDraftRunner, IDisposable
{
    private readonly StepInput _step = new();
    private readonly NativeBuffer _hidden = new((long)maxBatchedTokens * module.HiddenSize * sizeof(float));
    private float[] _outputs = [];
    private int _hiddenRows, _outputRows;

    /// <summary>Where a step of the model leaves what it computed for each token.</summary>
    public Tensor Hidden(int tokens) => new((float*)_hidden.Address, _hiddenRows = tokens, module.HiddenSize);

    public void Run(StepBatch batch, IReadOnlyList<int> sources, bool again, Span<float> logits)
    {
        _step.Fill(batch, info.VocabSize, kv.Layout.BlockSize, kv.KvBlocks, info.MaxPositions);
        if (sources.Count != _step.TokenCount) throw new ArgumentException($"{sources.Count} hidden rows for {_step.TokenCount} tokens", nameof(sources));
        if (_step.TokenCount == 0) return;
        if (logits.Length < (long)_step.LogitsCount * info.VocabSize) throw new ArgumentException($"{logits.Length} floats cannot hold {_step.LogitsCount} rows of {info.VocabSize} logits.", nameof(logits));
        using var frame = workspace.Enter();
        var hidden = frame.Tensor(_step.TokenCount, module.HiddenSize);
        for (var row = 0; row < hidden.Rows; row++) Source(sources[row], again).CopyTo(hidden.RowSpan(row));

        var needed = _step.LogitsCount * module.HiddenSize;
        if (_outputs.Length < needed) _outputs = GC.AllocateUninitializedArray<float>(needed);
        _outputRows = _step.LogitsCount;
        fixed (float* outputs = _outputs, rows = logits)
            module.Forward(_step, hidden, kv, workspace, new Tensor(outputs, _step.LogitsCount, module.HiddenSize), new Tensor(rows, _step.LogitsCount, info.VocabSize));
    }

    public void Dispose() => _hidden.Dispose();

    private ReadOnlySpan<float> Source(int row, bool again)
    {
        var rows = again ? _outputRows : _hiddenRows;
        if ((uint)row >= (uint)rows) throw new ArgumentException($"Hidden row {row} is not one of {rows}.", nameof(row));
        return again ? _outputs.AsSpan(row * module.HiddenSize, module.HiddenSize) : new((float*)_hidden.Address + (long)row * module.HiddenSize, module.HiddenSize);
    }
}
