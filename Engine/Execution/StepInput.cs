namespace NanoAspire.Engine.Execution;

/// <summary>A step as flat arrays that kernels can index, checked once; reused from step to step. The arrays are pinned and only grow.</summary>
internal sealed class StepInput
{
    private int[] _tokens = [], _positions = [], _blocks = [], _logitsRows = [], _owners = [];
    private TokenPosition[] _axes = [];
    private readonly List<StepImage> _images = [];
    private StepSequenceView[] _sequences = [];

    /// <summary>Token ids of the step.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, TokenCount);
    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, TokenCount);
    public ReadOnlySpan<StepSequenceView> Sequences => _sequences.AsSpan(0, SequenceCount);
    /// <summary>Empty when all axes are the position.</summary>
    public ReadOnlySpan<TokenPosition> Axes => _axes.AsSpan(0, AxesCount);
    public IReadOnlyList<StepImage> Images => _images;
    /// <summary>Index in <see cref="Sequences"/> of each token's sequence.</summary>
    public ReadOnlySpan<int> Owners => _owners.AsSpan(0, TokenCount);
    /// <summary>Block tables, one after the other; see <see cref="StepSequenceView.FirstBlock"/>.</summary>
    public ReadOnlySpan<int> Blocks => _blocks.AsSpan(0, BlockCount);
    /// <summary>Token index of each row of logits.</summary>
    public ReadOnlySpan<int> LogitsRows => _logitsRows.AsSpan(0, LogitsCount);

    public int TokenCount { get; private set; }
    public int SequenceCount { get; private set; }
    public int BlockCount { get; private set; }
    public int LogitsCount { get; private set; }
    private int AxesCount { get; set; }

    /// <summary>Copies and checks a batch: a bad index must not become a bad address.</summary>
    /// <exception cref="ArgumentException">The batch contradicts itself, the model or the pool.</exception>
    public void Fill(StepBatch batch, int vocabSize, int blockSize, int poolBlocks, int maxPositions, int stateSlots = 0, ImageInput? imageInput = null)
    {
        TokenCount = batch.Tokens.Count;
        SequenceCount = batch.Sequences.Count;
        (BlockCount, LogitsCount) = (0, 0);
        if (batch.Positions.Count != TokenCount) throw Bad($"{TokenCount} tokens but {batch.Positions.Count} positions");
        Grow(ref _tokens, TokenCount);
        Grow(ref _positions, TokenCount);
        Grow(ref _owners, TokenCount);
        Grow(ref _sequences, SequenceCount);
        Grow(ref _logitsRows, Math.Max(0, batch.LogitsRows));
        for (var i = 0; i < TokenCount; i++)
        {
            _tokens[i] = batch.Tokens[i];
            _positions[i] = batch.Positions[i];
            if ((uint)_tokens[i] >= (uint)vocabSize) throw Bad($"token id {_tokens[i]} is not in the vocabulary of {vocabSize}");
            if ((uint)_positions[i] >= (uint)maxPositions) throw Bad($"position {_positions[i]} is not below {maxPositions}");
        }

        FillImages(batch, maxPositions, imageInput);

        var next = 0;
        for (var i = 0; i < SequenceCount; i++)
        {
            var sequence = batch.Sequences[i];
            if (sequence.QueryStart != next || sequence.QueryLength < 1 || sequence.QueryLength > TokenCount - next)
                throw Bad($"sequence {i} covers tokens {sequence.QueryStart}+{sequence.QueryLength}, expected to start at {next} of {TokenCount}");
            if (sequence.ContextLength < sequence.QueryLength) throw Bad($"sequence {i} has a context of {sequence.ContextLength} and {sequence.QueryLength} tokens");
            _owners.AsSpan(next, sequence.QueryLength).Fill(i);
            next += sequence.QueryLength;

            var blocks = (sequence.ContextLength + blockSize - 1) / blockSize;
            if (sequence.Blocks.Count < blocks) throw Bad($"sequence {i} needs {blocks} blocks and has {sequence.Blocks.Count}");
            Grow(ref _blocks, BlockCount + blocks);
            for (var b = 0; b < blocks; b++)
            {
                var block = sequence.Blocks[b];
                if ((uint)block >= (uint)poolBlocks) throw Bad($"block {block} is not in the pool of {poolBlocks}");
                _blocks[BlockCount + b] = block;
            }
            _sequences[i] = new(sequence.QueryStart, sequence.QueryLength, sequence.ContextLength, BlockCount) { StateSource = StateOf(sequence, i, stateSlots), StateTarget = sequence.StateTarget };
            BlockCount += blocks;
            if (sequence.Drafts < 0 || sequence.Drafts >= sequence.QueryLength) throw Bad($"sequence {i} has {sequence.Drafts} drafts among {sequence.QueryLength} tokens");
            for (var row = next - sequence.LogitsRows; row < next && sequence.NeedsLogits; row++) _logitsRows[LogitsCount++] = row;
        }
        if (next != TokenCount) throw Bad($"{TokenCount - next} tokens belong to no sequence");
    }

    private void FillImages(StepBatch batch, int maxPositions, ImageInput? input)
    {
        AxesCount = batch.Axes.Count;
        _images.Clear();
        if (AxesCount != 0 && AxesCount != TokenCount) throw Bad($"{TokenCount} tokens but {AxesCount} positions by axes");
        Grow(ref _axes, AxesCount);
        for (var i = 0; i < AxesCount; i++)
        {
            var axes = _axes[i] = batch.Axes[i];
            if ((uint)axes.Time >= (uint)maxPositions || (uint)axes.Row >= (uint)maxPositions || (uint)axes.Column >= (uint)maxPositions) throw Bad($"position {axes} is not below {maxPositions}");
        }
        foreach (var image in batch.Images)
        {
            if (input is null) throw Bad("an image in a model of text");
            if (image.Token < 0 || image.Count < 1 || image.Count > TokenCount - image.Token || image.Row < 0 || image.Count > image.Image.Tokens - image.Row)
                throw Bad($"rows {image.Row}+{image.Count} of an image of {image.Image.Tokens} at tokens {image.Token} of {TokenCount}");
            if (image.Image.Embeddings.Length != image.Image.Tokens * input.HiddenSize || image.Image.Deepstack.Count != input.DeepstackLayers
                || image.Image.Deepstack.Any(rows => rows.Length != image.Image.Embeddings.Length)) throw Bad("an image whose rows are not those of the model");
            _images.Add(image);
        }
    }

    /// <summary>−1: the sequence begins, its state is zero.</summary>
    private static int StateOf(StepSequence sequence, int index, int slots)
    {
        if (slots == 0) return -1;
        if ((uint)sequence.StateTarget >= (uint)slots) throw Bad($"sequence {index} writes its state to slot {sequence.StateTarget} of {slots}");
        if (sequence.ContextLength == sequence.QueryLength) return -1;
        if ((uint)sequence.StateSource >= (uint)slots) throw Bad($"sequence {index} reads its state from slot {sequence.StateSource} of {slots}");
        return sequence.StateSource;
    }

    private static ArgumentException Bad(string message) => new($"Step batch: {message}.");

    private static void Grow<T>(ref T[] array, int length) where T : unmanaged
    {
        if (array.Length >= length) return;
        var grown = GC.AllocateUninitializedArray<T>(Math.Max(length, Math.Max(64, array.Length * 2)), pinned: true);
        array.CopyTo(grown, 0);
        array = grown;
    }
}

/// <param name="QueryStart">Index of its first token in the step.</param>
/// <param name="QueryLength">Its tokens in the step.</param>
/// <param name="ContextLength">Tokens with KV after the step.</param>
/// <param name="FirstBlock">Where its block table starts in <see cref="StepInput.Blocks"/>.</param>
internal readonly record struct StepSequenceView(int QueryStart, int QueryLength, int ContextLength, int FirstBlock)
{
    /// <summary>Slot of the state before the step; −1: it is zero.</summary>
    public int StateSource { get; init; } = -1;
    public int StateTarget { get; init; } = -1;
}
