using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

public sealed class PoolSharesTests
{
    [Theory]
    [InlineData(1000, 10, 0, 500, 4, 100, 0)]                               // no states: all of it
    [InlineData(1009, 10, 0, 60, 4, 60, 0)]                                 // no more than useful
    [InlineData(1000, 10, 3, 500, 4, 76, 8)]                                // two slots a sequence, the rest for tokens
    [InlineData(1000, 10, 3, 500, 100, 52, 16)]                             // at most half for slots …
    [InlineData(1000, 10, 3, 20, 100, 20, 26)]                              // … unless tokens have no use for it
    [InlineData(100, 10, 8, 500, 4, 2, 1)]                                  // one slot at least
    public void Budget_is_split_and_never_exceeded(long budget, long blockBytes, int stateBlocks, long useful, int maxSequences, int blocks, int slots)
    {
        Assert.Equal((blocks, slots), PoolShares.Of(budget, blockBytes, stateBlocks, useful, maxSequences));
        Assert.True((blocks + slots * stateBlocks) * blockBytes <= budget);
    }

    [Theory]
    [InlineData(19, 10, 0, "kv-memory of 19 bytes does not hold two blocks of 10, and the first serves no sequence")]
    [InlineData(99, 10, 8, "kv-memory of 99 bytes does not hold two blocks of 10 and a state of 8 blocks, and the first serves no sequence")]
    public void Too_little_is_refused(long budget, long blockBytes, int stateBlocks, string message) =>
        Assert.Equal(message, Assert.Throws<ModelLoadException>(() => PoolShares.Of(budget, blockBytes, stateBlocks, 500, 4)).Message);
}
