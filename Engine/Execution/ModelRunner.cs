using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Models;

namespace NanoAspire.Engine.Execution;

/// <summary>Runs steps of one model. Owns the weights, the KV pool, the workspace and the kernels' threads.</summary>
internal sealed unsafe class ModelRunner(ModelInfo info, IModel model, LoadedWeights weights, KvArena kv, KvArena? draftKv, IKernels kernels, int maxBatchedTokens) : IModelRunner
{
    private readonly StepInput _step = new();
    private readonly Workspace _workspace = new();
    private DraftRunner? _drafts;
    private bool _disposed;

    public ModelInfo Model => info;
    public IKvMemory KvMemory => kv;
    public IDraftRunner? Drafts => DraftsOrNull;

    private DraftRunner? DraftsOrNull => draftKv is null || model.Drafts is not { } module ? null : _drafts ??= new(info, module, draftKv, _workspace, maxBatchedTokens);

    public void Run(StepBatch batch, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (batch.Tokens.Count > maxBatchedTokens) throw new ArgumentException($"Step batch: {batch.Tokens.Count} tokens, at most {maxBatchedTokens} are allowed.", nameof(batch));
        _step.Fill(batch, info.VocabSize, kv.Layout.BlockSize, kv.KvBlocks, info.MaxPositions, kv.StateSlots, info.Images);
        if (_step.TokenCount == 0) return;
        if (logits.Length < (long)_step.LogitsCount * info.VocabSize) throw new ArgumentException($"{logits.Length} floats cannot hold {_step.LogitsCount} rows of {info.VocabSize} logits.", nameof(logits));
        var hidden = DraftsOrNull?.Hidden(_step.TokenCount) ?? default;
        fixed (float* rows = logits) model.Forward(_step, kv, _workspace, new Tensor(rows, _step.LogitsCount, info.VocabSize), hidden);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        kernels.Dispose();
        _workspace.Dispose();
        _drafts?.Dispose();
        draftKv?.Dispose();
        kv.Dispose();
        weights.Dispose();
    }
}
