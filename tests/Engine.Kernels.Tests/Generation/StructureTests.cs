using System.Runtime.InteropServices;
using NanoAspire.Engine.Kernels.Tests.Execution;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

/// <summary>
/// What must hold for any shapes and weights of a family, over models that nobody chose. The reference cases say that the arithmetic is
/// right; these say that it is the same however it is cut up.
/// </summary>
public sealed class StructureTests
{
    private const int Seeds = 6;
    private const int Tokens = 3;
    private const int BlockSize = 16;

    public static TheoryData<string> Families => [.. RandomFamilies.Names];

    [Theory, MemberData(nameof(Families))]
    public void Prefill_of_n_tokens_equals_n_decode_steps(string family) => ForEachModel(family, (driver, random) =>
    {
        foreach (var prompt in Prompts(driver, random, count: 2)) AssertSame(Generate(driver, prompt), Generate(driver, prompt, chunk: 1));
    });

    [Theory, MemberData(nameof(Families))]
    public void Any_cutting_of_a_prompt_gives_the_same_bits(string family) => ForEachModel(family, (driver, random) =>
    {
        foreach (var prompt in Prompts(driver, random, count: 2))
        {
            var whole = Generate(driver, prompt);
            foreach (var chunk in (int[])[random.Next(2, 9), random.Next(9, 50), BlockSize]) AssertSame(whole, Generate(driver, prompt, chunk));
        }
    });

    [Theory, MemberData(nameof(Families))]
    public void Permuting_a_batch_permutes_its_results(string family) => ForEachModel(family, (driver, random) =>
    {
        var prompts = Prompts(driver, random, count: 4).ToArray();
        var alone = prompts.Select(prompt => Generate(driver, prompt)).ToArray();
        for (var order = 0; order < 2; order++)
        {
            var places = Enumerable.Range(0, prompts.Length).ToArray();
            random.Shuffle(places);
            var batch = prompts.Select((prompt, i) => driver.Start(prompt.Tokens, Share(driver, i, prompts.Length), prompt.Images)).ToArray();
            while (batch.Any(sequence => sequence.Logits.Count < Tokens))
            {
                foreach (var sequence in places.Select(i => batch[i]).Where(sequence => sequence.Logits.Count < Tokens))
                    driver.With(sequence, random.Next(1, sequence.Tokens.Count - sequence.Computed + 1));
                driver.Step();
            }
            for (var i = 0; i < prompts.Length; i++) AssertSame(alone[i], batch[i]);
        }
    });

    /// <summary>What is kept of a token must not depend on what comes after it, even where both are computed in one step.</summary>
    [Theory, MemberData(nameof(Families))]
    public void A_token_never_sees_its_future(string family) => ForEachModel(family, (driver, random) =>
    {
        var past = Ids(driver, random, random.Next(2, 10) * BlockSize);
        var kept = (int[][])[Kept(driver, [.. past, .. Ids(driver, random, 40)], past.Length), Kept(driver, [.. past, .. Ids(driver, random, 25)], past.Length), Kept(driver, past, past.Length)];
        Assert.Equal(kept[0], kept[1]);
        Assert.Equal(kept[0], kept[2]);
    });

    /// <summary>A hand-off, and with it a prefix hit: blocks and, where there is one, the state at their end are all that is needed.</summary>
    [Theory, MemberData(nameof(Families))]
    public void Blocks_copied_to_another_engine_continue_with_the_same_bits(string family) => ForEachModel(family, (driver, random) =>
    {
        var shared = random.Next(1, 9);
        var prompt = RandomPrompt.Create(driver.Runner.Model, random, shared * BlockSize + random.Next(1, 40));
        var whole = Generate(driver, prompt);
        var (begun, copy, memory) = (driver.Start(prompt.Tokens, images: prompt.Images), driver.Start(prompt.Tokens, Share(driver, 1, 2), prompt.Images), driver.Runner.KvMemory);
        driver.With(begun, shared * BlockSize).Step();
        for (var block = 0; block < shared; block++) memory.Block(begun.Blocks[block]).CopyTo(memory.Block(copy.Blocks[block]));
        for (var part = 0; part < memory.Layout.StateBlocks; part++) memory.Block(StateBlock(begun) + part).CopyTo(memory.Block(StateBlock(copy) + part));
        copy.Computed = shared * BlockSize;
        int StateBlock(Sequence sequence) => memory.KvBlocks + sequence.State * memory.Layout.StateBlocks;
        while (copy.Logits.Count < Tokens) driver.With(copy, copy.Tokens.Count - copy.Computed).Step();
        AssertSame(whole, copy);
    });

    /// <summary>As a draft that was not accepted. States cannot be taken back, so not in recurrent models.</summary>
    [Theory, MemberData(nameof(Families))]
    public void Tokens_taken_back_leave_no_trace(string family) => ForEachModel(family, (driver, random) =>
    {
        if (driver.Runner.KvMemory.Layout.StateBlocks > 0) return;
        foreach (var prompt in Prompts(driver, random, count: 2)) TakeBack(driver, random, prompt, Tokens);
    });

    /// <summary>Rings of open entries' inputs that are shorter than a block, over lengths at which entries of up to 128 tokens close.</summary>
    [Theory, InlineData(64), InlineData(256)]
    public void Nor_in_rings_that_have_gone_round(int blockSize) => ForEachModel("deepseek_v4", (driver, random) =>
    {
        foreach (var length in (int[])[random.Next(40, 128), random.Next(220, 300), random.Next(360, 420)]) TakeBack(driver, random, RandomPrompt.Create(driver.Runner.Model, random, length), tokens: 40);
    }, blockSize);

    [Fact]
    public void The_same_seed_writes_the_same_checkpoint()
    {
        foreach (var family in RandomFamilies.Names)
        {
            using var one = RandomCheckpoint.Create(family, seed: 1);
            using var same = RandomCheckpoint.Create(family, seed: 1);
            using var other = RandomCheckpoint.Create(family, seed: 2);
            Assert.Equal(Bytes(one), Bytes(same));
            Assert.NotEqual(Bytes(one), Bytes(other));
        }

        static byte[] Bytes(RandomCheckpoint checkpoint) => [.. File.ReadAllBytes(checkpoint.PathOf("config.json")), .. File.ReadAllBytes(checkpoint.PathOf("model.safetensors"))];
    }

    /// <summary>Before each token a few others are computed in its place and behind it.</summary>
    private static void TakeBack(GreedyDriver driver, Random random, RandomPrompt prompt, int tokens)
    {
        var whole = driver.Generate(prompt.Tokens, tokens, images: prompt.Images);
        var sequence = driver.Start(prompt.Tokens, images: prompt.Images);
        driver.With(sequence, prompt.Tokens.Length).Step();
        while (sequence.Logits.Count < tokens)
        {
            var (computed, known, logits) = (sequence.Computed, sequence.Tokens.Count, sequence.Logits.Count);
            sequence.Tokens.AddRange(Ids(driver, random, random.Next(1, InputRing.Rollback + 1)));
            driver.With(sequence, sequence.Tokens.Count - sequence.Computed).Step();
            sequence.Computed = computed;
            sequence.Tokens.RemoveRange(known, sequence.Tokens.Count - known);
            sequence.Logits.RemoveRange(logits, sequence.Logits.Count - logits);
            driver.With(sequence, 1).Step();
        }
        AssertSame(whole, sequence);
    }

    private static void ForEachModel(string family, Action<GreedyDriver, Random> check, int blockSize = BlockSize)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            using var checkpoint = RandomCheckpoint.Create(family, seed);
            using var driver = GreedyDriver.Load(checkpoint.Folder, new() { Threads = 2, BlockSize = blockSize, MaxSequences = 4, KvMemoryBytes = 256 << 20 });
            try
            {
                check(driver, new Random(seed));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{family}, seed {seed}: {checkpoint.Plan.Config.ToJsonString()}", e);
            }
        }
    }

    /// <summary>Lengths from one token to several blocks, some of them at block boundaries.</summary>
    private static IEnumerable<RandomPrompt> Prompts(GreedyDriver driver, Random random, int count) =>
        Enumerable.Range(0, count).Select(_ => RandomPrompt.Create(driver.Runner.Model, random, random.Next(3) == 0 ? random.Next(1, 9) * BlockSize : random.Next(1, 150)));

    private static Sequence Generate(GreedyDriver driver, RandomPrompt prompt, int chunk = int.MaxValue) => driver.Generate(prompt.Tokens, Tokens, chunk, images: prompt.Images);

    private static int[] Ids(GreedyDriver driver, Random random, int count) => [.. RandomPrompt.Ids(random, count, driver.Runner.Model.VocabSize)];

    private static int[] Share(GreedyDriver driver, int index, int of)
    {
        var size = driver.Runner.KvMemory.KvBlocks / of;
        return [.. Enumerable.Range(index * size, size)];
    }

    /// <summary>What the blocks of the first <paramref name="count"/> tokens hold after one step over all tokens.</summary>
    private static int[] Kept(GreedyDriver driver, int[] tokens, int count)
    {
        for (var block = 0; block < driver.Runner.KvMemory.BlockCount; block++) driver.Runner.KvMemory.Block(block).Clear();
        var sequence = driver.Generate(tokens, count: 1);
        return [.. sequence.Blocks.Take(count / BlockSize).SelectMany(block => MemoryMarshal.Cast<byte, int>(driver.Runner.KvMemory.Block(block)).ToArray())];
    }

    private static void AssertSame(Sequence expected, Sequence actual)
    {
        Assert.Equal(expected.Generated, actual.Generated);
        Assert.All(expected.Logits, row => Assert.True(row.All(float.IsFinite), "logits are finite"));
        for (var i = 0; i < expected.Logits.Count; i++)
            Assert.True(MemoryMarshal.AsBytes<float>(expected.Logits[i]).SequenceEqual(MemoryMarshal.AsBytes<float>(actual.Logits[i])), $"logits of token {i} differ");
    }
}
