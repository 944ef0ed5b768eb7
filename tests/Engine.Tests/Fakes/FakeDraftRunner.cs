using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Tests.Fakes;

/// <summary>
/// A draft module of a model that looks back on <paramref name="memory"/> tokens: it knows only the tokens that it was given, stored under
/// the blocks it was given, and is right whenever it has seen enough of them. Checks that its rows are those of the places.
/// </summary>
internal sealed class FakeDraftRunner(FakeRunner runner, int memory) : IDraftRunner
{
    private readonly int _blockSize = runner.Memory.Layout.BlockSize;
    private readonly Dictionary<(int Block, int Slot), (int Token, int Place)> _stored = [];
    private readonly List<int> _asked = [];

    /// <summary>Rows that asked for logits with enough tokens behind them, and without.</summary>
    public (int Known, int Blind) Rows { get; private set; }
    /// <summary>Rows of the largest call.</summary>
    public int Widest { get; private set; }

    public void Run(StepBatch batch, IReadOnlyList<int> sources, bool again, Span<float> logits)
    {
        Assert.Equal(batch.Tokens.Count, sources.Count);
        Assert.True(logits.Length >= batch.LogitsRows * runner.Model.VocabSize);
        Widest = Math.Max(Widest, batch.Sequences.Count);
        var asked = new List<int>();
        foreach (var s in batch.Sequences)
        {
            Assert.Equal(0, s.Drafts);
            for (var i = 0; i < s.QueryLength; i++)
            {
                var (row, at) = (s.QueryStart + i, s.ContextLength - s.QueryLength + i);
                var place = batch.Positions[row];
                Assert.Equal(place % _blockSize, at % _blockSize);
                Assert.Equal(place, again ? _asked[sources[row]] + 1 : runner.LastPositions[sources[row]]);
                _stored[(s.Blocks[at / _blockSize], at % _blockSize)] = (batch.Tokens[row], place);
            }
            if (!s.NeedsLogits) continue;
            var last = batch.Positions[s.QueryStart + s.QueryLength - 1];
            var seen = Enumerable.Range(0, s.ContextLength).Select(at =>
            {
                var (token, place) = _stored[(s.Blocks[at / _blockSize], at % _blockSize)];
                Assert.Equal(last - s.ContextLength + 1 + at, place);
                return token;
            }).ToArray();
            Rows = seen.Length >= memory ? (Rows.Known + 1, Rows.Blind) : (Rows.Known, Rows.Blind + 1);
            runner.LogitsAfter(seen).CopyTo(logits[(asked.Count * runner.Model.VocabSize)..]);
            asked.Add(last);
        }
        _asked.Clear();
        _asked.AddRange(asked);
    }
}
