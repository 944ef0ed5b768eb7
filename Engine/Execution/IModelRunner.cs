namespace NanoAspire.Engine.Execution;

/// <summary>
/// Runs one step of a model over its paged KV memory. Called by the engine's owner thread only.
/// A row's result never depends on the other rows of the step.
/// </summary>
public interface IModelRunner : IDisposable
{
    ModelInfo Model { get; }
    IKvMemory KvMemory { get; }
    /// <summary>Null unless the model was loaded with its draft module.</summary>
    IDraftRunner? Drafts => null;

    /// <summary>
    /// Computes the step: writes the KV of every token of <paramref name="batch"/> and the logits of each sequence that asks for them.
    /// </summary>
    /// <param name="batch">Tokens of all sequences of the step, one sequence after the other.</param>
    /// <param name="logits">[rows, vocab]; those of each sequence after those of the sequences before it, <see cref="StepSequence.LogitsRows"/> each.</param>
    void Run(StepBatch batch, Span<float> logits);
}
