namespace NanoAspire.Engine.Execution;

/// <summary>The input of one step; reused from step to step by its owner.</summary>
public sealed class StepBatch
{
    /// <summary>Input ids, sequence by sequence.</summary>
    public List<int> Tokens { get; } = [];
    /// <summary>Position of each token in its sequence.</summary>
    public List<int> Positions { get; } = [];
    public List<StepSequence> Sequences { get; } = [];

    public int LogitsRows
    {
        get
        {
            var rows = 0;
            foreach (var sequence in Sequences) if (sequence.NeedsLogits) rows++;
            return rows;
        }
    }

    public void Clear()
    {
        Tokens.Clear();
        Positions.Clear();
        Sequences.Clear();
    }
}

/// <param name="QueryStart">Index of the sequence's first token in <see cref="StepBatch.Tokens"/>.</param>
/// <param name="QueryLength">Tokens of this step.</param>
/// <param name="ContextLength">Tokens whose KV exists after this step (earlier ones and this step's).</param>
/// <param name="Blocks">Block table in token order; position p lives in block <c>Blocks[p / blockSize]</c> at slot <c>p % blockSize</c>.</param>
/// <param name="NeedsLogits">True when the last token of the step is the last known one and the next is to be sampled.</param>
public readonly record struct StepSequence(int QueryStart, int QueryLength, int ContextLength, IReadOnlyList<int> Blocks, bool NeedsLogits)
{
    /// <summary>State slot that holds the state before this step's tokens; not looked at when they are the first of the sequence.</summary>
    public int StateSource { get; init; } = -1;
    /// <summary>State slot that gets the state after them; may be the source. −1 in models without states.</summary>
    public int StateTarget { get; init; } = -1;
}
