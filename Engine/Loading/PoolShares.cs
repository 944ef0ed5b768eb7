namespace NanoAspire.Engine.Loading;

/// <summary>
/// Splits the KV memory between blocks of tokens and state slots. Slots get up to half, and what the blocks have no use for: one for every
/// sequence that runs and as many again for parked prompts and kept prefixes.
/// </summary>
internal static class PoolShares
{
    private const int SlotsPerSequence = 2;

    /// <param name="budget">Bytes, never exceeded.</param>
    /// <param name="blockBytes">Of one block.</param>
    /// <param name="stateBlocks">Blocks of one slot; 0 for no states.</param>
    /// <param name="usefulBlocks">More blocks of tokens serve nobody.</param>
    /// <param name="maxSequences">That run at once.</param>
    /// <exception cref="ModelLoadException">Not even the smallest pool fits.</exception>
    public static (int Blocks, int Slots) Of(long budget, long blockBytes, int stateBlocks, long usefulBlocks, int maxSequences)
    {
        var total = Math.Min(budget / blockBytes, int.MaxValue);
        var slots = 0L;
        if (stateBlocks > 0)
        {
            slots = Math.Max(total / 2, total - usefulBlocks) / stateBlocks;
            slots = Math.Min(Math.Max(slots, 1), (long)SlotsPerSequence * maxSequences);
        }
        var blocks = Math.Min(total - slots * stateBlocks, usefulBlocks);
        if (blocks >= 2) return ((int)blocks, (int)slots);
        var state = stateBlocks > 0 ? $" and a state of {stateBlocks} blocks" : "";
        throw new ModelLoadException($"kv-memory of {budget} bytes does not hold two blocks of {blockBytes}{state}, and the first serves no sequence");
    }
}
