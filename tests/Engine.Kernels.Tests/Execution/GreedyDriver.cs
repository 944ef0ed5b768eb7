using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Execution;

/// <summary>The smallest engine there is: sequences with their own blocks, steps of chosen make-up, greedy tokens, every row of logits kept.</summary>
internal sealed class GreedyDriver(IModelRunner runner) : IDisposable
{
    private readonly StepBatch _batch = new();
    private readonly List<(Sequence Sequence, bool Logits)> _inStep = [];
    private readonly List<TokenPosition> _axes = [];
    private float[] _logits = [];
    private int _started;

    public IModelRunner Runner => runner;

    public static GreedyDriver Load(string folder, ModelLoadOptions? options = null) =>
        new(ModelLoader.Load(folder, (options ?? new ModelLoadOptions { Threads = 2 }) with { KvMemoryBytes = options?.KvMemoryBytes ?? 64 << 20 }));

    /// <param name="blocks">Block ids to use, in order; null: 0, 1, 2, …</param>
    /// <param name="prompt">Its tokens.</param>
    /// <param name="images">Of the prompt.</param>
    public Sequence Start(int[] prompt, IReadOnlyList<int>? blocks = null, IReadOnlyList<PromptImage>? images = null)
    {
        var slot = runner.KvMemory.StateSlots == 0 ? -1 : _started++ % runner.KvMemory.StateSlots;
        return new(prompt, blocks ?? [.. Enumerable.Range(0, runner.KvMemory.KvBlocks)]) { State = slot, Images = images ?? [], Positions = images is null ? null : new(prompt.Length, images) };
    }

    /// <summary>Adds the next <paramref name="count"/> known tokens of a sequence to the step.</summary>
    public GreedyDriver With(Sequence sequence, int count)
    {
        var start = _batch.Tokens.Count;
        _batch.AddImages(sequence.Images, sequence.Computed, sequence.Computed + count);
        for (var i = 0; i < count; i++)
        {
            var position = sequence.Positions?.Of(sequence.Computed + i) ?? TokenPosition.Text(sequence.Computed + i);
            _batch.Tokens.Add(sequence.Tokens[sequence.Computed + i]);
            _batch.Positions.Add(position.Time);
            _axes.Add(position);
        }
        sequence.Computed += count;
        var logits = sequence.Computed == sequence.Tokens.Count;
        _batch.Sequences.Add(new(start, count, sequence.Computed, sequence.Blocks, logits) { StateSource = sequence.State, StateTarget = sequence.State });
        _inStep.Add((sequence, logits));
        return this;
    }

    /// <summary>Runs the step; sequences that are complete get their next token.</summary>
    public void Step()
    {
        var vocab = runner.Model.VocabSize;
        if (_logits.Length < _batch.LogitsRows * vocab) _logits = new float[_batch.LogitsRows * vocab];
        Array.Fill(_logits, float.NaN);
        if (_inStep.Exists(part => part.Sequence.Positions is not null)) _batch.Axes.AddRange(_axes);
        runner.Run(_batch, _logits);
        var row = 0;
        foreach (var (sequence, logits) in _inStep)
        {
            if (!logits) continue;
            var values = _logits.AsSpan(row++ * vocab, vocab).ToArray();
            sequence.Logits.Add(values);
            sequence.Tokens.Add(ArgMax(values));
        }
        _batch.Clear();
        _axes.Clear();
        _inStep.Clear();
    }

    /// <summary>Prefill in chunks, then decode until there are <paramref name="count"/> generated tokens.</summary>
    public Sequence Generate(int[] prompt, int count, int chunk = int.MaxValue, IReadOnlyList<int>? blocks = null, IReadOnlyList<PromptImage>? images = null)
    {
        var sequence = Start(prompt, blocks, images);
        while (sequence.Logits.Count < count) With(sequence, Math.Min(chunk, sequence.Tokens.Count - sequence.Computed)).Step();
        return sequence;
    }

    public static int ArgMax(ReadOnlySpan<float> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++) if (values[i] > values[best]) best = i;
        return best;
    }

    public void Dispose() => runner.Dispose();
}

internal sealed class Sequence(int[] prompt, IReadOnlyList<int> blocks)
{
    public IReadOnlyList<PromptImage> Images { get; init; } = [];
    /// <summary>Null when they are the indices of the tokens.</summary>
    public PromptPositions? Positions { get; init; }
    public List<int> Tokens { get; } = [.. prompt];
    public IReadOnlyList<int> Blocks { get; } = blocks;
    public int Computed { get; set; }
    /// <summary>Its slot; −1 in models without states.</summary>
    public int State { get; init; } = -1;
    /// <summary>One row for every generated token.</summary>
    public List<float[]> Logits { get; } = [];
    public int[] Generated => [.. Tokens.Skip(prompt.Length)];
}
