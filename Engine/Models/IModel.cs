using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>
/// A family's configuration: everything that decides shapes and arithmetic, checked. A record, because its text is part of the layout
/// digest. One file a family implements this, another <see cref="IModel"/>.
/// </summary>
internal interface IModelConfig
{
    int VocabSize { get; }
    int MaxPositions { get; }
    /// <summary>Null for a model of text alone.</summary>
    ImageInput? Images => null;

    /// <summary>What a block of this model's cache holds.</summary>
    /// <param name="blockSize">Tokens a block, a multiple of 16.</param>
    /// <param name="type">Element type of keys, values and latents.</param>
    CacheGeometry Cache(int blockSize, WeightType type);

    /// <summary>What a block holds for the module that drafts tokens, apart from the model's own cache.</summary>
    /// <param name="blockSize">Tokens a block, a multiple of 16.</param>
    /// <param name="type">As in <see cref="Cache"/>.</param>
    /// <returns>Null where this family or checkpoint has no module that can be used.</returns>
    CacheGeometry? DraftCache(int blockSize, WeightType type) => null;

    /// <summary>Reads every weight the model needs, in the shapes it needs.</summary>
    /// <param name="weights">To read from.</param>
    /// <param name="kernels">Compute.</param>
    /// <param name="drafts">Also those of the draft module; only where there is a <see cref="DraftCache"/>.</param>
    IModel Build(WeightReader weights, IKernels kernels, bool drafts);

    /// <summary>Tensors that may be in a checkpoint of this family without being used.</summary>
    bool MayIgnore(string tensor);
}

/// <summary>A loaded model over weights that its runner owns.</summary>
internal interface IModel
{
    /// <summary>Writes the KV of the step's tokens into <paramref name="kv"/> and the logits [rows asked for, vocabulary] into <paramref name="logits"/>.</summary>
    /// <param name="hidden">
    /// Gets, for every token, what a draft module goes on from: the final norm [tokens, hidden], or the parallel streams before they are collapsed
    /// [tokens, streams × hidden]. Empty where there is no module to read it.
    /// </param>
    /// <param name="kv">Into.</param>
    /// <param name="logits">Into.</param>
    /// <param name="step">Tokens and where they belong.</param>
    /// <param name="workspace">Temporaries.</param>
    void Forward(StepInput step, KvArena kv, Workspace workspace, Tensor logits, Tensor hidden);

    /// <summary>Null in families without, and unless it was asked for.</summary>
    IDraftModule? Drafts => null;
}
