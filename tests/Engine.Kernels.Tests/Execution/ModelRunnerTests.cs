using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Tests.Loading;
using NanoAspire.Engine.Kernels.Tests.Models;
using NanoAspire.Engine.Loading;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Kernels.Tests.Execution;

public sealed class ModelRunnerTests
{
    [Fact]
    public void A_step_that_contradicts_itself_is_refused_and_the_runner_goes_on()
    {
        using var checkpoint = new TinyCheckpoint();
        using var driver = GreedyDriver.Load(checkpoint.Write().Folder, new() { Threads = 1, MaxBatchedTokens = 8, BlockSize = 16, MaxSequences = 1 });
        var runner = driver.Runner;
        var logits = new float[TinyCheckpoint.Vocab];
        Refused("token id 48", tokens: [48]);
        Refused("token id -1", tokens: [-1]);
        Refused("position 128", tokens: [1], positions: [128]);
        Refused("1 tokens but 2 positions", tokens: [1], positions: [0, 1]);
        Refused("needs 1 blocks and has 0", tokens: [1], blocks: []);
        Refused("block 9 is not in the pool of 9", tokens: [1], blocks: [9]);
        Refused("block -1", tokens: [1], blocks: [-1]);
        Refused("belong to no sequence", tokens: [1, 2], sequenceLength: 1);
        Refused("covers tokens 0+3", tokens: [1, 2], sequenceLength: 3);
        Refused("covers tokens 0+0", tokens: [1], sequenceLength: 0);
        Refused("has a context of 0", tokens: [1], contextLength: 0);
        Refused("9 tokens, at most 8", tokens: [1, 1, 1, 1, 1, 1, 1, 1, 1]);
        Assert.Contains("47 floats", Assert.Throws<ArgumentException>(() => runner.Run(Batch([1], [0], [0], 1, 1), logits.AsSpan(1))).Message, StringComparison.Ordinal);
        runner.Run(new StepBatch(), logits);
        runner.Run(Batch([1], [0], [0], 1, 1), logits);
        Assert.All(logits, value => Assert.True(float.IsFinite(value)));
        Assert.Contains(logits, value => value != 0);

        void Refused(string reason, int[] tokens, int[]? positions = null, int[]? blocks = null, int? sequenceLength = null, int? contextLength = null)
        {
            var batch = Batch(tokens, positions ?? [.. Enumerable.Range(0, tokens.Length)], blocks ?? [0], sequenceLength ?? tokens.Length, contextLength ?? sequenceLength ?? tokens.Length);
            Assert.Contains(reason, Assert.Throws<ArgumentException>(() => runner.Run(batch, logits)).Message, StringComparison.Ordinal);
        }
    }

    [Theory, InlineData(null), InlineData("glm-5"), InlineData("deepseek-v3-fp8")]
    public void Steps_allocate_nothing_once_the_largest_was_seen(string? golden)
    {
        using var driver = GreedyDriver.Load(golden is null ? RepositoryPaths.DemoModel : GoldenCase.Folder(golden));
        var runner = driver.Runner;
        var (prefill, decode) = (Batch([.. Enumerable.Range(0, 200)], [.. Enumerable.Range(0, 200)], [3, 1, 2, 0], 200, 200), Batch([5], [200], [3, 1, 2, 0], 1, 201));
        var logits = new float[runner.Model.VocabSize];
        for (var i = 0; i < 3; i++)
        {
            runner.Run(prefill, logits);
            runner.Run(decode, logits);
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
        {
            runner.Run(prefill, logits);
            runner.Run(decode, logits);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_step_without_logits_still_writes_the_cache()
    {
        using var driver = GreedyDriver.Load(RepositoryPaths.DemoModel);
        var memory = driver.Runner.KvMemory;
        driver.Runner.Run(Batch([1, 2, 3], [0, 1, 2], [4], 3, 3, logits: false), []);
        Assert.True(memory.Block(4).ContainsAnyExcept((byte)0));
        Assert.False(memory.Block(0).ContainsAnyExcept((byte)0));
        Assert.Equal(memory.Layout.BlockBytes * memory.BlockCount, memory.Length);
    }

    [Fact]
    public void A_disposed_runner_refuses_steps_and_a_second_disposal_is_harmless()
    {
        using var checkpoint = new TinyCheckpoint();
        var runner = ModelLoader.Load(checkpoint.Write().Folder, new() { Threads = 2 });
        runner.Dispose();
        runner.Dispose();
        Assert.Throws<ObjectDisposedException>(() => runner.Run(new StepBatch(), []));
    }

    private static StepBatch Batch(int[] tokens, int[] positions, int[] blocks, int sequenceLength, int contextLength, bool logits = true)
    {
        var batch = new StepBatch();
        batch.Tokens.AddRange(tokens);
        batch.Positions.AddRange(positions);
        batch.Sequences.Add(new(0, sequenceLength, contextLength, blocks, logits));
        return batch;
    }
}
