using System.Runtime.InteropServices;
using NanoAspire.Engine.Kernels.Tests.Models;
using NanoAspire.Engine.Loading;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Kernels.Tests.Execution;

/// <summary>One request, one result: every way to cut, batch, place and share out the work gives the same bits.</summary>
public sealed class BitIdentityTests
{
    private const int Tokens = 12;

    public static TheoryData<string> Models => [.. GoldenNames.All, "nano-demo"];

    [Theory, MemberData(nameof(Models))]
    public void Chunks_of_any_size_give_the_bits_of_a_whole_prefill(string model)
    {
        using var driver = Load(model);
        foreach (var prompt in Prompts(driver))
        {
            var whole = driver.Generate(prompt, Tokens);
            foreach (var chunk in (int[])[1, 7, 33, 64]) AssertSame(whole, driver.Generate(prompt, Tokens, chunk));
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void A_batch_in_any_order_gives_the_bits_of_running_alone(string model)
    {
        using var driver = Load(model);
        var prompts = Prompts(driver);
        var alone = prompts.Select(prompt => driver.Generate(prompt, Tokens)).ToArray();
        for (var seed = 0; seed < 6; seed++)
        {
            // Random steps: any subset of the sequences, in any order, prompts in chunks of any size beside decodes.
            var random = new Random(seed);
            var blocks = Enumerable.Range(0, driver.Runner.KvMemory.KvBlocks).ToArray();
            random.Shuffle(blocks);
            var share = blocks.Length / prompts.Length;
            var batched = prompts.Select((prompt, i) => driver.Start(prompt, blocks[(i * share)..((i + 1) * share)])).ToArray();
            while (batched.Any(sequence => sequence.Logits.Count < Tokens))
            {
                var order = batched.Where(sequence => sequence.Logits.Count < Tokens && random.Next(4) > 0).ToArray();
                random.Shuffle(order);
                foreach (var sequence in order) driver.With(sequence, random.Next(1, sequence.Tokens.Count - sequence.Computed + 1));
                driver.Step();
            }
            for (var i = 0; i < prompts.Length; i++) AssertSame(alone[i], batched[i]);
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void Thread_count_changes_no_bit(string model)
    {
        using var one = Load(model, threads: 1);
        foreach (var threads in (int[])[2, 3, 8])
        {
            using var many = Load(model, threads);
            foreach (var prompt in Prompts(one)) AssertSame(one.Generate(prompt, Tokens), many.Generate(prompt, Tokens));
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void Block_size_and_placement_change_no_bit(string model)
    {
        using var usual = Load(model);
        foreach (var blockSize in (int[])[16, 32, 128, 256])
        {
            using var other = Load(model, blockSize: blockSize);
            var blocks = Enumerable.Range(0, other.Runner.KvMemory.KvBlocks).Reverse().ToArray();
            foreach (var prompt in Prompts(usual)) AssertSame(usual.Generate(prompt, Tokens), other.Generate(prompt, Tokens, chunk: 50, blocks));
        }
    }

    public static TheoryData<string, string> SmallCaches =>
        new(((string[])["qwen3-dense-untied", "qwen3-next", "nano-demo", "kimi-k2", "deepseek-v3.2", "glm-5-shared-indexer", "deepseek-v4"]).SelectMany(model => (string[])["bf16", "fp8_e4m3"], (model, type) => (model, type)));

    [Theory, MemberData(nameof(SmallCaches))]
    public void A_smaller_cache_keeps_the_promise_too(string model, string kvDType)
    {
        using var driver = Load(model, kvDType: kvDType);
        using var small = Load(model, kvDType: kvDType, blockSize: 16, threads: 3);
        foreach (var prompt in Prompts(driver))
        {
            var whole = driver.Generate(prompt, Tokens);
            AssertSame(whole, driver.Generate(prompt, Tokens, chunk: 7));
            AssertSame(whole, small.Generate(prompt, Tokens, chunk: 33));
        }
    }

    [Theory, InlineData("qwen3-dense-untied"), InlineData("kimi-k2"), InlineData("glm-5")]
    public void Keeping_16_bit_weights_as_float32_changes_no_bit(string model)
    {
        using var kept = Load(model);
        using var widened = Load(model, dtype: "f32");
        foreach (var prompt in Prompts(kept)) AssertSame(kept.Generate(prompt, Tokens), widened.Generate(prompt, Tokens));
    }

    [Theory, MemberData(nameof(Models))]
    public void What_stale_blocks_hold_changes_no_bit(string model)
    {
        using var driver = Load(model);
        var prompt = Prompts(driver)[^1];
        var clean = driver.Generate(prompt, Tokens);
        for (var block = 0; block < driver.Runner.KvMemory.BlockCount; block++) driver.Runner.KvMemory.Block(block).Fill(0xff);   // NaN everywhere
        AssertSame(clean, driver.Generate(prompt, Tokens, chunk: 33));
    }

    [Theory, MemberData(nameof(Models))]
    public void A_copied_cache_continues_with_the_same_bits(string model)
    {
        using var prefill = Load(model);
        using var decode = Load(model);
        var (from, to) = (prefill.Runner.KvMemory, decode.Runner.KvMemory);
        Assert.Equal(from.Layout, to.Layout);
        var prompt = Prompts(prefill)[1];
        var whole = prefill.Generate(prompt, Tokens);
        var parked = prefill.Start(prompt, [2, 4, 6, 8, 1]);
        prefill.With(parked, prompt.Length).Step();

        var moved = decode.Start([.. prompt, whole.Generated[0]], [5, 3, 1, 7, 9]);
        for (var i = 0; i * from.Layout.BlockSize < prompt.Length; i++) from.Block(parked.Blocks[i]).CopyTo(to.Block(moved.Blocks[i]));
        for (var i = 0; i < from.Layout.StateBlocks; i++)
            from.Block(from.KvBlocks + parked.State * from.Layout.StateBlocks + i).CopyTo(to.Block(to.KvBlocks + moved.State * to.Layout.StateBlocks + i));
        moved.Computed = prompt.Length;
        while (moved.Logits.Count < Tokens - 1) decode.With(moved, 1).Step();
        Assert.Equal(whole.Generated[1..], moved.Generated);
        for (var i = 0; i < moved.Logits.Count; i++) Assert.Equal(whole.Logits[i + 1], moved.Logits[i]);
    }

    private static GreedyDriver Load(string model, int threads = 2, int blockSize = 64, string kvDType = "auto", string dtype = "auto") =>
        GreedyDriver.Load(model == "nano-demo" ? RepositoryPaths.DemoModel : GoldenCase.Folder(model),
            new() { Threads = threads, BlockSize = blockSize, KvDType = kvDType, DType = dtype });

    /// <summary>Lengths around blocks, tiles and, where the context allows it, splits of the attention.</summary>
    private static int[][] Prompts(GreedyDriver driver)
    {
        var random = new Random(1);
        int[] lengths = driver.Runner.Model.MaxPositions > 1000 ? [5, 64, 150, 600] : [5, 64, 150];
        return [.. lengths.Select(length => Enumerable.Range(0, length).Select(_ => random.Next(driver.Runner.Model.VocabSize)).ToArray())];
    }

    private static void AssertSame(Sequence expected, Sequence actual)
    {
        Assert.Equal(expected.Generated, actual.Generated);
        for (var i = 0; i < expected.Logits.Count; i++)
            Assert.True(MemoryMarshal.AsBytes<float>(expected.Logits[i]).SequenceEqual(MemoryMarshal.AsBytes<float>(actual.Logits[i])), $"logits of token {i} differ");
    }
}
