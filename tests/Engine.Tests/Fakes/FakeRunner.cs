using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Tests.Fakes;

/// <summary>
/// A model whose logits are a hash of the tokens that it reads back from the KV memory through the block table: a wrong block, slot,
/// position or a stale hit gives other tokens, or is caught on the way. <see cref="Generate"/> is the same model without any memory. With a
/// <c>memory</c> of a few tokens it looks no further back, and soon repeats itself.
/// </summary>
internal sealed class FakeRunner(int blocks, int blockSize, int vocab = 64, int maxPositions = 4096, int stateSlots = 0, int memory = int.MaxValue) : IModelRunner
{
    public const int Eos = 0;

    private readonly FakeKvMemory _memory = new(blocks, blockSize, stateSlots);

    public ModelInfo Model { get; } = new()
    {
        Architecture = "Fake",
        ModelType = "fake",
        VocabSize = vocab,
        MaxPositions = maxPositions,
        EosTokenIds = [Eos],
        WeightBytes = 0,
    };

    public FakeKvMemory Memory => _memory;
    IKvMemory IModelRunner.KvMemory => _memory;

    /// <summary>Runs before each step, on the owner thread.</summary>
    public Action<StepBatch>? BeforeRun { get; set; }
    /// <summary>Changes a row before it is sampled.</summary>
    public Action<Span<float>>? Spoil { get; set; }
    /// <summary>Of each step: the tokens of each sequence.</summary>
    public List<int[]> Steps { get; } = [];
    /// <summary>Of the tokens of the last step.</summary>
    public int[] LastPositions { get; private set; } = [];
    /// <summary>Drafts that the steps had.</summary>
    public int Drafts { get; private set; }

    public void Run(StepBatch batch, Span<float> logits)
    {
        BeforeRun?.Invoke(batch);
        Assert.Equal(batch.LogitsRows * vocab, logits.Length);
        Assert.Equal(batch.Tokens.Count, batch.Positions.Count);
        LastPositions = [.. batch.Positions];
        Drafts += batch.Sequences.Sum(s => s.Drafts);
        Steps.Add([.. batch.Sequences.Select(s => s.QueryLength)]);

        var written = new HashSet<(int, int)>();
        var next = 0;
        foreach (var s in batch.Sequences)
        {
            Assert.Equal(next, s.QueryStart);
            Assert.True(s.QueryLength > 0);
            next += s.QueryLength;
            for (var i = 0; i < s.QueryLength; i++)
            {
                var position = batch.Positions[s.QueryStart + i];
                Assert.Equal(s.ContextLength - s.QueryLength + i, position);
                var slot = (s.Blocks[position / blockSize], position % blockSize);
                Assert.NotEqual(0, slot.Item1);
                Assert.True(written.Add(slot), "two sequences of a step write the same slot");
                _memory[slot.Item1, slot.Item2] = (batch.Tokens[s.QueryStart + i], position);
            }
        }
        Assert.Equal(batch.Tokens.Count, next);
        if (stateSlots > 0) AdvanceStates(batch);

        var row = 0;
        foreach (var s in batch.Sequences)
        {
            var hash = 0UL;
            var read = new List<int>();
            for (var p = 0; p < s.ContextLength; p++)
            {
                var (token, position) = _memory[s.Blocks[p / blockSize], p % blockSize];
                Assert.Equal(p, position);
                hash = Mix(hash, token);
                read.Add(token);
                if (p < s.ContextLength - s.LogitsRows) continue;
                var target = logits.Slice(row++ * vocab, vocab);
                Logits(Hash(read), target);
                Spoil?.Invoke(target);
            }
            if (stateSlots > 0) Assert.Equal((hash, s.ContextLength), _memory.State(s.StateTarget));
        }
    }

    /// <summary>Nobody may write what another sequence reads in the same step, and a state must be that of the tokens before.</summary>
    private void AdvanceStates(StepBatch batch)
    {
        foreach (var s in batch.Sequences)
        {
            Assert.DoesNotContain(batch.Sequences, other => other != s && (other.StateTarget == s.StateTarget || other.StateSource == s.StateTarget));
            var start = s.ContextLength - s.QueryLength;
            var (hash, tokens) = start == 0 ? (0UL, 0L) : _memory.State(s.StateSource);
            Assert.Equal(start, tokens);
            for (var i = 0; i < s.QueryLength; i++) hash = Mix(hash, batch.Tokens[s.QueryStart + i]);
            _memory.SetState(s.StateTarget, hash, s.ContextLength);
        }
    }

    public void Dispose() => _memory.Dispose();

    /// <summary>The logits after these tokens.</summary>
    public float[] LogitsAfter(IEnumerable<int> tokens)
    {
        var row = new float[vocab];
        Logits(Hash([.. tokens]), row);
        return row;
    }

    /// <summary>Greedy continuation by the definition: the whole context again for every token.</summary>
    public List<int> Generate(IEnumerable<int> prompt, int count, bool ignoreEos = false)
    {
        var tokens = prompt.ToList();
        var output = new List<int>();
        while (output.Count < count)
        {
            var row = LogitsAfter(tokens);
            var best = Array.IndexOf(row, row.Max());
            tokens.Add(best);
            output.Add(best);
            if (best == Eos && !ignoreEos) break;
        }
        return output;
    }

    private ulong Hash(List<int> tokens) => tokens.Skip(Math.Max(0, tokens.Count - memory)).Aggregate(0UL, Mix);

    private static void Logits(ulong hash, Span<float> row)
    {
        for (var i = 0; i < row.Length; i++) row[i] = (Mix(hash, i + 1_000_003) >> 40) / (float)(1 << 21) - 4;   // in [-4, 4)
    }

    public static ulong Mix(ulong hash, int value)
    {
        var z = (hash + 0x9E3779B97F4A7C15) ^ ((ulong)(uint)value * 0xD6E8FEB86659FD93);
        z = (z ^ (z >> 32)) * 0xD6E8FEB86659FD93;
        return z ^ (z >> 29);
    }
}
