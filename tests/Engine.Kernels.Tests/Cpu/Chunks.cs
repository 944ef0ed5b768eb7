using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

/// <summary>The steps in which one sequence is computed, chunk by chunk.</summary>
internal static class Chunks
{
    /// <param name="chunks">Tokens of each step; empty ones are passed over.</param>
    /// <param name="blocks">The sequence's block table; the pool has twice as many.</param>
    /// <param name="blockSize">Tokens a block.</param>
    /// <param name="length">Of the sequence.</param>
    /// <returns>The step, valid until the next one, and how many tokens were done before it.</returns>
    public static IEnumerable<(StepInput Step, int Done, int Tokens)> Steps(int[] chunks, int[] blocks, int blockSize, int length)
    {
        var (step, batch, done) = (new StepInput(), new StepBatch(), 0);
        foreach (var chunk in chunks)
        {
            if (chunk == 0) continue;
            batch.Clear();
            for (var i = 0; i < chunk; i++)
            {
                batch.Tokens.Add(0);
                batch.Positions.Add(done + i);
            }
            batch.Sequences.Add(new(0, chunk, done + chunk, blocks, NeedsLogits: false));
            step.Fill(batch, vocabSize: 1, blockSize, poolBlocks: 2 * blocks.Length, maxPositions: length);
            yield return (step, done, chunk);
            done += chunk;
        }
    }
}
