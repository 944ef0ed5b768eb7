using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Speculation;
using NanoAspire.Engine.Transfer;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Tests;

/// <summary>The engine over real models: however a request is scheduled, its tokens and the bits of its logits are those it has alone.</summary>
public sealed class BitIdentityTests : IDisposable
{
    private const string Generated = "generated ";
    private const int Tokens = 24;
    private const int BlockSize = 16;

    private RandomCheckpoint? _generated;

    /// <summary>A family without reference outputs has a random model instead.</summary>
    public static TheoryData<string> Models => ["nano-demo", .. GoldenNames.All, Generated + "qwen3_vl_moe"];

    public void Dispose() => _generated?.Dispose();

    [Theory, MemberData(nameof(Models))]
    public async Task Batched_and_chunked(string model)
    {
        using var runner = Load(model);
        var requests = Requests(runner);
        var alone = await Alone(runner, requests);
        await using var loop = Start(runner, new() { MaxBatchedTokens = 11, MaxSequences = 3 });
        var batched = await Task.WhenAll(requests.Select(request => Run(loop, request)));
        for (var i = 0; i < requests.Length; i++) AssertSame(alone[i], batched[i]);
    }

    [Theory, MemberData(nameof(Models))]
    public async Task With_a_prefix_hit(string model)
    {
        using var runner = Load(model);
        var requests = Requests(runner);
        var alone = await Alone(runner, requests);
        await using var loop = Start(runner, new());
        for (var i = 0; i < requests.Length; i++)
        {
            await Run(loop, requests[i]);
            var again = await Run(loop, requests[i]);
            Assert.True(again[0].CachedTokens > 0);
            AssertSame(alone[i], again);
        }
    }

    [Theory, MemberData(nameof(Models))]
    public async Task Preempted(string model)
    {
        using var runner = Load(model);
        var requests = Requests(runner);
        var alone = await Alone(runner, requests);
        using var small = new GatedRunner(Load(model, small: true));
        foreach (var caching in new[] { true, false })
        {
            small.Gate.Reset();
            await using var loop = Start(small, new() { PrefixCaching = caching, MaxBatchedTokens = 20, MaxSequences = 4 });
            var running = requests.Select(request => Run(loop, request)).ToArray();
            small.Gate.Set();                              // all of them are in line: nobody ends before the others come
            var preempted = await Task.WhenAll(running);
            Assert.True(loop.Status.Preemptions > 0);
            for (var i = 0; i < requests.Length; i++) AssertSame(alone[i], preempted[i]);
        }
    }

    [Theory, MemberData(nameof(Models))]
    public async Task Handed_over_to_another_engine(string model)
    {
        using var runner = Load(model);
        using var other = Load(model);
        var requests = Requests(runner);
        var alone = await Alone(runner, requests);
        await using var prefill = Start(runner, new());
        await using var decode = Start(other, new());
        for (var i = 0; i < requests.Length; i++)
        {
            var first = Assert.Single(await Run(prefill, requests[i] with { ParkAfterFirstToken = true }));
            var reservation = await decode.ReserveAsync(requests[i].PromptTokens, requests[i].Images, default);
            for (var b = reservation.CachedBlocks; b < reservation.Blocks.Count; b++)
                runner.KvMemory.Block(first.Parked!.Blocks[b]).CopyTo(other.KvMemory.Block(reservation.Blocks[b]));
            first.Parked!.Release();
            var rest = await Run(decode, requests[i] with { Reservation = reservation, FirstToken = first.Token });
            AssertSame(alone[i], [first, .. rest.Skip(1)]);
        }
    }

    [Theory, MemberData(nameof(Models))]
    public async Task Handed_over_to_an_engine_with_blocks_of_another_size_or_refused(string model)
    {
        using var small = Load(model);
        using var large = Load(model, blockSize: 4 * BlockSize);
        if (small.KvMemory.Reslicer(4 * BlockSize) is null)
        {
            // What is not kept by token is not taken apart, and the digests keep such engines from being paired.
            Assert.StartsWith("deepseek-v4", model, StringComparison.Ordinal);
            Assert.NotEqual(small.KvMemory.Layout.Digest, large.KvMemory.Layout.Digest);
            return;
        }
        Assert.Equal(small.KvMemory.Layout.Digest, large.KvMemory.Layout.Digest);
        Assert.NotEqual(small.KvMemory.Layout.BlockBytes, large.KvMemory.Layout.BlockBytes);
        var requests = Requests(small);
        var alone = await Alone(small, requests);
        foreach (var (from, to) in new[] { (small, large), (large, small) })
        {
            await using var transport = KvTransports.Create("loopback", new(), TimeProvider.System, NullLoggerFactory.Instance);
            await using var table = new HandoffTable(transport, from.KvMemory, new() { EngineId = "p", Incarnation = "i" }, TimeProvider.System, NullLogger<HandoffTable>.Instance);
            var puller = new KvPuller(transport, new() { SegmentBytes = 1 }, TimeProvider.System, NullLogger<KvPuller>.Instance);
            await using var prefill = Start(from, new());
            await using var decode = Start(to, new());
            for (var i = 0; i < requests.Length; i++)
            {
                var first = Assert.Single(await Run(prefill, requests[i] with { ParkAfterFirstToken = true }));
                var ticket = await table.ParkAsync(first.Parked!, requests[i].PromptTokens, first.Token!, firstFinishReason: null, default);
                var reservation = await decode.ReserveAsync(requests[i].PromptTokens, requests[i].Images, default);
                await puller.PullAsync(ticket, requests[i].PromptTokens, reservation, to.KvMemory, default);
                table.Free([ticket.SeqId]);
                var rest = await Run(decode, requests[i] with { Reservation = reservation, FirstToken = first.Token });
                AssertSame(alone[i], [first, .. rest.Skip(1)]);
            }
        }
    }

    /// <summary>Most guesses right, some wrong, any number of them: every row that a step checks has the bits it has in a step of its own.</summary>
    /// <remarks>Blocks of 64 are longer than DeepSeek-V4's rings of inputs, which rejected tokens then overwrite in part.</remarks>
    [Theory, MemberData(nameof(Models)), InlineData("deepseek-v4", 64)]
    public async Task With_drafts(string model, int blockSize = BlockSize)
    {
        using var runner = Load(model, blockSize: blockSize);
        var requests = Requests(runner);
        var alone = await Alone(runner, requests);
        var drafter = new ReplayDrafter([.. requests.Select((request, i) => request.PromptTokens.Concat(alone[i].Select(o => o.Token!.Id)).ToArray())], runner.Model.VocabSize);
        foreach (var sequences in (int[])[1, 4])
        {
            await using var loop = new EngineLoop(runner, new() { MaxSequences = sequences, MaxBatchedTokens = 64 }, TimeProvider.System, NullLogger<EngineLoop>.Instance, drafter);
            var drafted = await Task.WhenAll(requests.Select(request => Run(loop, request)));
            for (var i = 0; i < requests.Length; i++) AssertSame(alone[i], drafted[i]);
            Assert.InRange(loop.Status.AcceptedTokens, requests.Length * Tokens / 4, loop.Status.DraftedTokens - 1);
        }
    }

    public static TheoryData<string> Drafting => ["deepseek-v3", "deepseek-v3.2", "glm-5", "qwen3-next", "qwen3.5-moe"];

    [Theory, MemberData(nameof(Drafting))]
    public async Task With_its_own_draft_module(string model)
    {
        using var runner = Load(model);
        using var drafting = Load(model, drafts: true);
        using var small = new GatedRunner(Load(model, small: true, drafts: true));
        var requests = Requests(runner);
        var alone = await Alone(runner, requests);
        foreach (var (by, options) in ((IModelRunner, EngineOptions)[])[(drafting, new() { SpeculativeTokens = 1 }), (drafting, new() { SpeculativeTokens = 3, MaxBatchedTokens = 13, MaxSequences = 3 }), (small, new() { MaxSequences = 4, MaxBatchedTokens = 20 })])
        {
            small.Gate.Reset();
            await using var loop = Start(by, options with { Speculation = SpeculationMethod.Mtp });
            var running = requests.Select(request => Run(loop, request)).ToArray();
            small.Gate.Set();
            var drafted = await Task.WhenAll(running);
            for (var i = 0; i < requests.Length; i++) AssertSame(alone[i], drafted[i]);
            Assert.True(loop.Status.DraftedTokens > 0);
        }
    }

    private static void AssertSame(List<GenerationOutput> expected, List<GenerationOutput> actual)
    {
        Assert.Equal(expected.Select(o => o.Token!.Id), actual.Select(o => o.Token!.Id));
        Assert.Equal(expected[^1].Finish, actual[^1].Finish);
        foreach (var (a, b) in expected.Zip(actual)) Assert.True(MemoryMarshal.AsBytes<float>(a.Logits).SequenceEqual(MemoryMarshal.AsBytes<float>(b.Logits)), $"logits of token {a.Index} differ");
    }

    private static async Task<List<GenerationOutput>[]> Alone(IModelRunner runner, GenerationRequest[] requests)
    {
        var results = new List<GenerationOutput>[requests.Length];
        for (var i = 0; i < requests.Length; i++)
        {
            await using var loop = Start(runner, new());
            results[i] = await Run(loop, requests[i]);
            Assert.Equal(Tokens, results[i].Count);
        }
        return results;
    }

    private static async Task<List<GenerationOutput>> Run(EngineLoop loop, GenerationRequest request)
    {
        using var handle = loop.Submit(request);
        var events = new List<GenerationOutput>();
        await foreach (var output in handle.Outputs.ReadAllAsync(TestContext.Current.CancellationToken)) events.Add(output);
        Assert.DoesNotContain(events, o => o.Error is not null);
        return events;
    }

    /// <summary>Greedy and seeded ones, with a common opening, around the block size; where the model takes images, two that differ in nothing but the image.</summary>
    private static GenerationRequest[] Requests(IModelRunner runner)
    {
        var random = new Random(3);
        var opening = Enumerable.Range(0, BlockSize).Select(_ => random.Next(runner.Model.VocabSize)).ToArray();
        return
        [
            .. new[] { 17, 32, 33, 45, 50 }.Select((length, i) => new GenerationRequest
            {
                PromptTokens = [.. opening, .. Enumerable.Range(0, length - BlockSize).Select(_ => random.Next(runner.Model.VocabSize))],
                Sampling = new() { Temperature = i % 2, Seed = i, MaxTokens = Tokens, IgnoreEos = true },
                CaptureLogits = true,
            }),
            .. runner.Model.Images is { } input ? WithImages(opening, input, random) : [],
        ];
    }

    private static IEnumerable<GenerationRequest> WithImages(int[] opening, ImageInput input, Random random)
    {
        var grid = new ImageGrid(1, 4, 6);
        int[] prompt = [.. opening, .. Enumerable.Repeat(input.TokenId, grid.Tokens), 7, 5, 3, 8, 9, 4, 2, 6];
        for (var seed = 0; seed < 2; seed++)
        {
            yield return new()
            {
                PromptTokens = prompt,
                Images = [new(opening.Length, grid, Rows(), [.. Enumerable.Range(0, input.DeepstackLayers).Select(_ => (ReadOnlyMemory<float>)Rows())])],
                Sampling = new() { Temperature = seed, Seed = seed, MaxTokens = Tokens, IgnoreEos = true },
                CaptureLogits = true,
            };
        }

        float[] Rows() => [.. Enumerable.Range(0, grid.Tokens * input.HiddenSize).Select(_ => (float)(random.NextDouble() - 0.5))];
    }

    private static EngineLoop Start(IModelRunner runner, EngineOptions options) => new(runner, options, TimeProvider.System, NullLogger<EngineLoop>.Instance);

    /// <param name="model">Folder name.</param>
    /// <param name="small">Blocks for two of the requests.</param>
    /// <param name="drafts">With its draft module.</param>
    /// <param name="blockSize">Tokens a block.</param>
    private IModelRunner Load(string model, bool small = false, bool drafts = false, int blockSize = BlockSize)
    {
        var folder = model == "nano-demo" ? RepositoryPaths.DemoModel
            : model.StartsWith(Generated, StringComparison.Ordinal) ? GeneratedFolder(model[Generated.Length..])
            : Path.Combine(RepositoryPaths.Goldens, model);
        var options = new ModelLoadOptions { BlockSize = blockSize, Threads = 1, MaxSequences = 8, DraftModule = drafts };
        return ModelLoader.Load(folder, small ? options with { MaxSequences = 2, MaxModelLength = 80 } : options);
    }

    /// <summary>The first that has stacked experts and further rows for images.</summary>
    private string GeneratedFolder(string family)
    {
        var plan = Enumerable.Range(0, 100).Select(seed => RandomFamilies.Plan(family, new Random(seed))).First(plan =>
            plan.Tensors.Keys.Any(name => name.EndsWith("experts.gate_up_proj", StringComparison.Ordinal)) && plan.Config["vision_config"]!["deepstack_visual_indexes"]!.AsArray().Count > 0);
        _generated ??= RandomCheckpoint.Write(plan, new Random(1));
        return _generated.Folder;
    }

    /// <summary>Knows how the sequences go on and says so, up to the most that is allowed; now and then it lies.</summary>
    private sealed class ReplayDrafter(int[][] wholes, int vocabSize) : IDrafter
    {
        private readonly Random _random = new(5);

        public void Draft(IReadOnlyList<DraftInput> step)
        {
            foreach (var sequence in step.Select(input => input.Sequence).Where(sequence => sequence.MayDraft))
            {
                var known = sequence.Tokens.ToArray();
                var whole = wholes.FirstOrDefault(whole => whole.Length > known.Length && whole.AsSpan(0, known.Length).SequenceEqual(known)) ?? known;
                foreach (var token in whole.Skip(known.Length).Take(_random.Next(EngineOptions.MaxSpeculativeTokens + 1)))
                    sequence.Drafts.Add(_random.Next(8) == 0 ? (token + 1) % vocabSize : token);
            }
        }
    }

    private sealed class GatedRunner(IModelRunner runner) : IModelRunner
    {
        public ManualResetEventSlim Gate { get; } = new();
        public ModelInfo Model => runner.Model;
        public IKvMemory KvMemory => runner.KvMemory;
        public IDraftRunner? Drafts => runner.Drafts;

        public void Run(StepBatch batch, Span<float> logits)
        {
            Gate.Wait();
            runner.Run(batch, logits);
        }

        public void Dispose()
        {
            runner.Dispose();
            Gate.Dispose();
        }
    }
}
