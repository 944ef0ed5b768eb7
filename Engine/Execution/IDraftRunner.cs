namespace NanoAspire.Engine.Execution;

/// <summary>
/// The module of a model that predicts the token after the next, from what the model computed for a place and the token that follows it.
/// It attends to its own keys, which are stored under the block ids of the model's. Called by the owner thread between two steps of its runner.
/// </summary>
public interface IDraftRunner
{
    /// <summary>Computes rows and the logits of each sequence that asks for them.</summary>
    /// <param name="batch">A row a place: its token is the one that follows the place, its context the places that the module has seen.</param>
    /// <param name="sources">For each row: a row of the runner's last step, or, where <paramref name="again"/>, of the logits of the last call.</param>
    /// <param name="again">The module goes on from its own output.</param>
    /// <param name="logits">[rows, vocab], as in <see cref="IModelRunner.Run"/>.</param>
    void Run(StepBatch batch, IReadOnlyList<int> sources, bool again, Span<float> logits);
}
