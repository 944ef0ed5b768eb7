using System.Runtime.InteropServices;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;
using NanoAspire.Engine.Loading;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Kernels.Tests.Speculation;

/// <summary>DeepSeek-V4 with drafts of its own module, right and wrong ones: the tokens and the bits of their logits are those without.</summary>
public sealed class DeepSeekV4DraftingTests
{
    private const int BlockSize = 16, Tokens = 40;

    /// <summary>Numbers of guesses, with blocks that are as long as rings of inputs and longer ones.</summary>
    public static TheoryData<int, int> Lengths => new([.. from drafts in (int[])[1, 2, 3, 4, 8] from block in (int[])[BlockSize, 64] select (drafts, block)]);

    [Theory, MemberData(nameof(Lengths))]
    public void Alone_batched_and_in_chunks(int drafts, int blockSize)
    {
        using var checkpoint = PredictiveCheckpoint.CopiesTheFirstLayer(seed: drafts, further: 0.03f);
        using var runner = Load(checkpoint, blockSize);
        var requests = Requests(runner);
        var plain = Plain(runner, requests);
        foreach (var options in (EngineOptions[])[new() { MaxSequences = 1 }, new() { MaxSequences = 8 }, new() { MaxSequences = 3, MaxBatchedTokens = 13 }])
        {
            var engine = new LoadedEngine(runner, options, drafts);
            AssertSame(plain, engine.Run(requests));
            Assert.InRange(engine.Status.AcceptedTokens, requests.Length * 5, engine.Status.DraftedTokens - 1);   // both kinds were there
        }
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Preempted(int drafts)
    {
        using var checkpoint = PredictiveCheckpoint.CopiesTheFirstLayer(seed: 10 + drafts, further: 0.03f);
        using var runner = Load(checkpoint);
        using var small = Load(checkpoint, small: true);
        var requests = Requests(runner)[..4];
        var plain = Plain(runner, requests);
        foreach (var caching in (bool[])[true, false])
        {
            var engine = new LoadedEngine(small, new() { PrefixCaching = caching, MaxSequences = 4, MaxBatchedTokens = 20 }, drafts);
            AssertSame(plain, engine.Run(requests));
            Assert.True(engine.Status.Preemptions > 0);
            Assert.InRange(engine.Status.AcceptedTokens, 1, engine.Status.DraftedTokens - 1);
        }
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void With_a_prefix_hit(int drafts)
    {
        using var checkpoint = PredictiveCheckpoint.CopiesTheFirstLayer(seed: 20 + drafts, further: 0.03f);
        using var runner = Load(checkpoint);
        var requests = Requests(runner);
        var plain = Plain(runner, requests);
        var engine = new LoadedEngine(runner, new(), drafts);
        engine.Run(requests);
        var again = engine.Run(requests);
        Assert.All(again, events => Assert.True(events[0].CachedTokens > 0));
        AssertSame(plain, again);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Handed_over_by_an_engine_without_the_module(int drafts)
    {
        using var checkpoint = PredictiveCheckpoint.CopiesTheFirstLayer(seed: 30 + drafts, further: 0.03f);
        using var first = Load(checkpoint, module: false);
        using var second = Load(checkpoint);
        var requests = Requests(first);
        var plain = Plain(first, requests);
        var (prefill, decode) = (new LoadedEngine(first, new()), new LoadedEngine(second, new(), drafts));
        AssertSame(plain, [.. requests.Select(request => Pull(prefill, first, decode, second, request))]);
        Assert.InRange(decode.Status.AcceptedTokens, 1, decode.Status.DraftedTokens - 1);
    }

    /// <summary>Its keys come along with a hit; a prompt that was pulled has none, and it knows again what the model does as soon as it sees a window of its own.</summary>
    [Fact]
    public void Its_keys_are_where_the_blocks_are()
    {
        using var checkpoint = PredictiveCheckpoint.CopiesTheFirstLayer(seed: 40, further: 0);
        using var runner = Load(checkpoint);
        var requests = Requests(runner).Select(Greedy).ToArray();
        var plain = Plain(runner, requests);

        var hitting = new LoadedEngine(runner, new(), drafts: 4);
        hitting.Run(requests);
        var (drafted, accepted) = (hitting.Status.DraftedTokens, hitting.Status.AcceptedTokens);
        AssertSame(plain, hitting.Run(requests));
        Assert.InRange(hitting.Status.AcceptedTokens - accepted, (hitting.Status.DraftedTokens - drafted) * 97 / 100, long.MaxValue);

        var decode = new LoadedEngine(runner, new(), drafts: 4);
        using var source = Load(checkpoint, module: false);
        var pulled = requests.Select(request => Pull(new(source, new()), source, decode, runner, request)).ToArray();
        AssertSame(plain, pulled);
        Assert.InRange(decode.Status.AcceptedTokens, decode.Status.DraftedTokens / 2, decode.Status.DraftedTokens - 1);
    }

    [Fact]
    public void With_modules_that_know_nothing_over_any_shapes()
    {
        for (var seed = 0; seed < 8; seed++)
        {
            var random = new Random(seed);
            using var checkpoint = RandomCheckpoint.Write(RandomFamilies.DeepSeekV4(random, modules: 1), random);
            using var runner = Load(checkpoint);
            var requests = Requests(runner);
            var engine = new LoadedEngine(runner, new() { MaxSequences = 3, MaxBatchedTokens = 31 }, drafts: 1 + seed % 4);
            AssertSame(Plain(runner, requests), engine.Run(requests));
            Assert.True(engine.Status.DraftedTokens > 0);
        }
    }

    [Fact]
    public void A_module_that_is_the_model_is_nearly_always_right_and_one_with_a_flaw_is_not()
    {
        for (var seed = 40; seed < 44; seed++)
        {
            Check(seed, ModuleFlaw.None, least: 0.97, most: 1);
            Check(seed, ModuleFlaw.SeesNoOtherPlaces, least: 0, most: 0.7);
            Check(seed, ModuleFlaw.Entrance, least: 0, most: 0.1);
        }

        static void Check(int seed, ModuleFlaw flaw, double least, double most)
        {
            var accepted = Acceptance(PredictiveCheckpoint.CopiesTheFirstLayer(seed, further: 0, flaw));
            Assert.True(least <= accepted && accepted <= most, $"seed {seed}, flaw {flaw}: {accepted:P1} accepted");
        }
    }

    [Fact]
    public void A_module_that_reads_the_models_streams_is_always_right_and_one_that_misreads_them_never()
    {
        for (var seed = 50; seed < 54; seed++)
        {
            Assert.Equal(1, Acceptance(PredictiveCheckpoint.TurnsTheStreams(seed)));
            Assert.InRange(Acceptance(PredictiveCheckpoint.TurnsTheStreams(seed, broken: true)), 0, 0.1);
        }
    }

    /// <summary>Three tokens drawn 10,000 times, some of them by guesses that were right: the counts of all outcomes.</summary>
    [Fact]
    public void Samples_have_the_distribution_of_the_model()
    {
        const int vocabulary = 5, draws = 10_000, batch = 50;
        const float temperature = 1.2f;
        using var checkpoint = PredictiveCheckpoint.CopiesTheFirstLayer(seed: 60, further: 0.03f, vocabulary: vocabulary);
        using var driver = new GreedyDriver(Load(checkpoint));
        var runner = driver.Runner;
        int[] prompt = [1, 2, 3, 4, 0, 2, 1, 3, 3, 2];
        var engine = new LoadedEngine(runner, new() { MaxSequences = 8, PrefixCaching = false }, drafts: 2);
        var counts = new int[vocabulary * vocabulary * vocabulary];
        for (var seed = 0; seed < draws; seed += batch)
        {
            var requests = Enumerable.Range(seed, batch).Select(s => new GenerationRequest { PromptTokens = prompt, Sampling = new() { Temperature = temperature, Seed = s, MaxTokens = 3, IgnoreEos = true } });
            foreach (var events in engine.Run(requests)) counts[events.Aggregate(0, (index, output) => index * vocabulary + output.Token!.Id)]++;
        }
        Assert.InRange(engine.Status.AcceptedTokens, draws / 10, engine.Status.DraftedTokens * 9 / 10);

        ChiSquare.AssertFits(counts, outcome =>
        {
            int[] ids = [outcome / vocabulary / vocabulary, outcome / vocabulary % vocabulary, outcome % vocabulary];
            return Enumerable.Range(0, 3).Aggregate(1.0, (p, n) => p * Probability([.. prompt, .. ids[..n]], ids[n]));
        });

        double Probability(int[] tokens, int next)
        {
            var weights = driver.Generate(tokens, count: 1).Logits[0].Select(logit => Math.Exp(logit / temperature)).ToArray();
            return weights[next] / weights.Sum();
        }
    }

    /// <summary>Accepted part of greedy drafts, four at a time.</summary>
    private static double Acceptance(RandomCheckpoint checkpoint)
    {
        using (checkpoint)
        {
            using var runner = Load(checkpoint);
            var requests = Requests(runner).Select(Greedy).ToArray();
            var engine = new LoadedEngine(runner, new(), drafts: 4);
            var plain = Plain(runner, requests);
            Assert.All(plain, events => Assert.True(events.DistinctBy(o => o.Token!.Id).Count() >= 5));   // something to guess
            AssertSame(plain, engine.Run(requests));
            return engine.Status.AcceptedTokens / (double)engine.Status.DraftedTokens;
        }
    }

    /// <summary>Prefill in one engine, the blocks that the other lacks copied, decode there.</summary>
    private static List<GenerationOutput> Pull(LoadedEngine prefill, IModelRunner from, LoadedEngine decode, IModelRunner to, GenerationRequest request)
    {
        var first = Assert.Single(prefill.Run(request with { ParkAfterFirstToken = true })[0]);
        var reservation = decode.Reserve(request);
        for (var b = reservation.CachedBlocks; b < reservation.Blocks.Count; b++) from.KvMemory.Block(first.Parked!.Blocks[b]).CopyTo(to.KvMemory.Block(reservation.Blocks[b]));
        first.Parked!.Release();
        return [first, .. decode.Run(request with { Reservation = reservation, FirstToken = first.Token })[0].Skip(1)];
    }

    private static GenerationRequest Greedy(GenerationRequest request) => request with { Sampling = request.Sampling with { Temperature = 0 } };

    private static List<GenerationOutput>[] Plain(IModelRunner runner, GenerationRequest[] requests) => [.. requests.Select(request => new LoadedEngine(runner, new()).Run(request)[0])];

    private static void AssertSame(List<GenerationOutput>[] expected, List<GenerationOutput>[] actual)
    {
        foreach (var (plain, drafted) in expected.Zip(actual))
        {
            Assert.Equal(Tokens, plain.Count);
            Assert.Equal(plain.Select(o => o.Token!.Id), drafted.Select(o => o.Token!.Id));
            foreach (var (a, b) in plain.Zip(drafted)) Assert.True(MemoryMarshal.AsBytes<float>(a.Logits).SequenceEqual(MemoryMarshal.AsBytes<float>(b.Logits)), $"logits of token {a.Index} differ");
        }
    }

    /// <summary>Greedy and seeded ones, with a common opening, around the block size and beyond entries of 128 tokens.</summary>
    private static GenerationRequest[] Requests(IModelRunner runner)
    {
        var random = new Random(3);
        var opening = Ids(BlockSize);
        return [.. new[] { 17, 32, 33, 50, 112, 131 }.Select((length, i) => new GenerationRequest
        {
            PromptTokens = [.. opening, .. Ids(length - BlockSize)],
            Sampling = new() { Temperature = i % 2 * 0.5f, Seed = i, MaxTokens = Tokens, IgnoreEos = true },
            CaptureLogits = true,
        })];

        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(runner.Model.VocabSize))];
    }

    /// <param name="checkpoint">Stays the caller's.</param>
    /// <param name="blockSize">Tokens a block.</param>
    /// <param name="small">Blocks for one of the shorter requests.</param>
    /// <param name="module">With its draft module.</param>
    private static IModelRunner Load(RandomCheckpoint checkpoint, int blockSize = BlockSize, bool small = false, bool module = true)
    {
        var options = new ModelLoadOptions { Threads = 1, BlockSize = blockSize, MaxSequences = 8, KvMemoryBytes = 256 << 20, DraftModule = module };
        return ModelLoader.Load(checkpoint.Folder, small ? options with { MaxSequences = 1, MaxModelLength = 112 } : options);
    }
}
