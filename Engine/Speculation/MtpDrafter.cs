using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Speculation;

/// <summary>
/// Drafts with the model's own module, greedily. After each step the module takes in what the step has computed, for all sequences at once,
/// and then goes on alone, one token further with each run. Its keys lie under the block ids of the model's; where those of a
/// place are missing (a prompt pulled from another engine, a block cached before) its context begins at the block after.
/// </summary>
internal sealed class MtpDrafter(IDraftRunner module, int vocabSize, int blockSize, int tokens) : IDrafter
{
    private readonly StepBatch _batch = new();
    private readonly List<int> _sources = [];
    private readonly List<Continuation> _drafting = [];
    private float[] _logits = [];

    public void Draft(IReadOnlyList<DraftInput> step)
    {
        Begin(step);
        for (var draft = 1; _sources.Count > 0; draft++)
        {
            var rows = _batch.LogitsRows;
            if (_logits.Length < rows * vocabSize) _logits = new float[rows * vocabSize];
            module.Run(_batch, _sources, again: draft > 1, _logits);
            for (var row = 0; row < rows; row++) _drafting[row].Sequence.Drafts.Add(Best(_logits.AsSpan(row * vocabSize, vocabSize)));
            Continue();
        }
    }

    private void Begin(IReadOnlyList<DraftInput> step)
    {
        Clear();
        _drafting.Clear();
        var axes = step.Any(input => input.Sequence.Positions is not null);
        foreach (var input in step)
        {
            var sequence = input.Sequence;
            var context = sequence.DraftContext;
            context.Include(input.Start, sequence.Table, blockSize);
            var (first, end) = (Math.Max(input.Start, context.First), input.Start + input.Count);
            if (first >= end) continue;
            var most = Math.Min(Math.Min(tokens, sequence.DraftLimit), sequence.TokenLimit - sequence.TokenCount - 1);
            var drafts = sequence.MayDraft && most > 0;
            Add(sequence, first, end, drafts, axes, sequence.Tokens[(first + 1)..(end + 1)]);
            for (var place = first; place < end; place++) _sources.Add(input.Row + place - input.Start);
            context.Written(end, sequence.Table, blockSize);
            if (drafts) _drafting.Add(new(sequence, end, most));
        }
    }

    /// <summary>One more row for each sequence that wants more drafts and has blocks for the module's keys.</summary>
    private void Continue()
    {
        Clear();
        var axes = _drafting.Exists(part => part.Sequence.Positions is not null);
        var kept = 0;
        for (var row = 0; row < _drafting.Count; row++)
        {
            var (sequence, place, most) = _drafting[row];
            if (sequence.Drafts.Count >= most || place >= sequence.Table.Blocks.Count * blockSize) continue;
            Add(sequence, place, place + 1, logits: true, axes, [sequence.Drafts[^1]]);
            _sources.Add(row);
            _drafting[kept++] = new(sequence, place + 1, most);
        }
        _drafting.RemoveRange(kept, _drafting.Count - kept);
    }

    private void Add(Scheduling.Sequence sequence, int first, int end, bool logits, bool axes, ReadOnlySpan<int> following)
    {
        var origin = sequence.DraftContext.First;
        var blocks = new BlockWindow(sequence.Table.Blocks, origin / blockSize);
        _batch.Sequences.Add(new(_batch.Tokens.Count, end - first, end - origin, blocks, logits));
        foreach (var token in following) _batch.Tokens.Add(token);
        for (var place = first; place < end; place++)
        {
            var position = sequence.Positions?.Of(place) ?? TokenPosition.Text(place);
            _batch.Positions.Add(position.Time);
            if (axes) _batch.Axes.Add(position);
        }
    }

    private void Clear()
    {
        _batch.Clear();
        _sources.Clear();
    }

    /// <summary>The lowest id among the largest.</summary>
    private static int Best(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var id = 1; id < logits.Length; id++) if (logits[id] > logits[best]) best = id;
        return best;
    }

    /// <param name="Sequence">Drafting.</param>
    /// <param name="Place">Of the next row.</param>
    /// <param name="Most">Drafts that are of use.</param>
    private readonly record struct Continuation(Scheduling.Sequence Sequence, int Place, int Most);
}
