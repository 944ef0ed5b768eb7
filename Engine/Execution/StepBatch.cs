namespace NanoAspire.Engine.Execution;

/// <summary>The input of one step; reused from step to step by its owner.</summary>
public sealed class StepBatch
{
    /// <summary>Input ids, sequence by sequence.</summary>
    public List<int> Tokens { get; } = [];
    /// <summary>Position of each token in its sequence.</summary>
    public List<int> Positions { get; } = [];
    /// <summary>Positions by three axes, one a token, where the step has a sequence with images; empty otherwise: all three are the position.</summary>
    public List<TokenPosition> Axes { get; } = [];
    /// <summary>Rows that take the place of embeddings.</summary>
    public List<StepImage> Images { get; } = [];
    public List<StepSequence> Sequences { get; } = [];

    public int LogitsRows
    {
        get
        {
            var rows = 0;
            foreach (var sequence in Sequences) rows += sequence.LogitsRows;
            return rows;
        }
    }

    /// <summary>Adds what images bring for tokens [<paramref name="start"/>, <paramref name="end"/>) of a prompt; called before these tokens are added.</summary>
    internal void AddImages(IReadOnlyList<PromptImage> images, int start, int end)
    {
        foreach (var image in images)
        {
            var (first, last) = (Math.Max(start, image.FirstToken), Math.Min(end, image.FirstToken + image.Tokens));
            if (first < last) Images.Add(new(Tokens.Count + first - start, last - first, image, first - image.FirstToken));
        }
    }

    public void Clear()
    {
        Tokens.Clear();
        Positions.Clear();
        Axes.Clear();
        Images.Clear();
        Sequences.Clear();
    }
}

/// <summary>A part of an image that is among the tokens of a step.</summary>
/// <param name="Token">Index of its first token in <see cref="StepBatch.Tokens"/>.</param>
/// <param name="Count">Tokens.</param>
/// <param name="Image">The whole.</param>
/// <param name="Row">Of the image, for the first token.</param>
public readonly record struct StepImage(int Token, int Count, PromptImage Image, int Row);

/// <param name="QueryStart">Index of the sequence's first token in <see cref="StepBatch.Tokens"/>.</param>
/// <param name="QueryLength">Tokens of this step.</param>
/// <param name="ContextLength">Tokens whose KV exists after this step (earlier ones and this step's).</param>
/// <param name="Blocks">Block table in token order; position p lives in block <c>Blocks[p / blockSize]</c> at slot <c>p % blockSize</c>.</param>
/// <param name="NeedsLogits">True when the last token of the step, drafts aside, is the last known one and the next is to be sampled.</param>
public readonly record struct StepSequence(int QueryStart, int QueryLength, int ContextLength, IReadOnlyList<int> Blocks, bool NeedsLogits)
{
    /// <summary>
    /// Tokens at the end of the step that are guesses. With <see cref="NeedsLogits"/> the last known token and each of them get a row of
    /// logits; their KV is written like any other and is overwritten by the step that computes what stands there in the end.
    /// </summary>
    public int Drafts { get; init; }
    public int LogitsRows => NeedsLogits ? 1 + Drafts : 0;

    /// <summary>State slot that holds the state before this step's tokens; not looked at when they are the first of the sequence.</summary>
    public int StateSource { get; init; } = -1;
    /// <summary>State slot that gets the state after them; may be the source. −1 in models without states.</summary>
    public int StateTarget { get; init; } = -1;
}
