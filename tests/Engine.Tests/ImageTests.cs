using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Transfer;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Tests;

/// <summary>Prompts with images at the engine's door, and what its prefix cache takes for the same.</summary>
public sealed class ImageTests
{
    private const int Placeholder = 318, Hidden = 64, BlockSize = 16;
    private static readonly ImageGrid Grid = new(1, 4, 5);

    [Fact]
    public async Task A_prefix_is_hit_only_behind_the_same_image()
    {
        using var runner = Load("qwen3-vl");
        await using var loop = new EngineLoop(runner, new(), TimeProvider.System, NullLogger<EngineLoop>.Instance);
        int[] prompt = [.. Enumerable.Range(3, BlockSize), .. Enumerable.Repeat(Placeholder, Grid.Tokens), .. Enumerable.Range(40, 20)];
        Assert.Equal(0, await CachedAsync(loop, prompt, Image(1)));
        Assert.Equal(48, await CachedAsync(loop, prompt, Image(1)));         // another object with the same numbers
        Assert.Equal(BlockSize, await CachedAsync(loop, prompt, Image(2)));  // the text before the image
        Assert.Equal(BlockSize, await CachedAsync(loop, prompt, Image(1, deepstack: 5)));
        Assert.Equal(BlockSize, await CachedAsync(loop, prompt, Image(1, grid: new(1, 5, 4))));
        Assert.Equal(BlockSize, await CachedAsync(loop, prompt));            // placeholders without an image
        Assert.Equal(48, await CachedAsync(loop, prompt, Image(2)));
    }

    /// <summary>A state that was kept behind an image is of no use behind another.</summary>
    [Fact]
    public async Task A_recurrent_state_is_hit_only_behind_the_same_image()
    {
        using var runner = Load("qwen3.5-moe");
        await using var loop = new EngineLoop(runner, new(), TimeProvider.System, NullLogger<EngineLoop>.Instance);
        int[] prompt = [.. Enumerable.Range(3, BlockSize), .. Enumerable.Repeat(Placeholder, Grid.Tokens), .. Enumerable.Range(40, 20)];
        PromptImage Bare(int seed) => new(BlockSize, Grid, Rows(seed), []);
        Assert.Equal(0, await CachedAsync(loop, prompt, Bare(1)));
        Assert.Equal(48, await CachedAsync(loop, prompt, Bare(1)));
        Assert.Equal(0, await CachedAsync(loop, prompt, Bare(2)));
        Assert.Equal(48, await CachedAsync(loop, prompt, Bare(2)));
        Assert.Equal(48, await CachedAsync(loop, prompt, Bare(1)));
    }

    /// <summary>One placeholder in a block is enough, whatever the others are: here the image's first row is the block's last token.</summary>
    [Fact]
    public async Task A_block_that_holds_a_corner_of_an_image_is_hit_only_with_the_same_image()
    {
        using var runner = Load("qwen3-vl");
        await using var loop = new EngineLoop(runner, new(), TimeProvider.System, NullLogger<EngineLoop>.Instance);
        int[] prompt = [.. Enumerable.Range(3, 2 * BlockSize - 1), .. Enumerable.Repeat(Placeholder, Grid.Tokens), .. Enumerable.Range(40, 20)];
        PromptImage Late(int seed) => Image(seed, first: 2 * BlockSize - 1);
        Assert.Equal(0, await CachedAsync(loop, prompt, Late(1)));
        Assert.Equal(BlockSize, await CachedAsync(loop, prompt, Late(2)));
        Assert.Equal(64, await CachedAsync(loop, prompt, Late(1)));
    }

    [Theory, InlineData("qwen3-vl", 2), InlineData("qwen3.5-moe", 0)]
    public async Task Keys_and_values_are_handed_over_for_the_same_images_alone(string model, int deepstack)
    {
        using IModelRunner from = Load(model), to = Load(model);
        await using EngineLoop prefill = new(from, new(), TimeProvider.System, NullLogger<EngineLoop>.Instance), decode = new(to, new(), TimeProvider.System, NullLogger<EngineLoop>.Instance);
        await using var transport = KvTransports.Create("loopback", new(), TimeProvider.System, NullLoggerFactory.Instance);
        await using var table = new HandoffTable(transport, from.KvMemory, new() { EngineId = "p", Incarnation = "i" }, TimeProvider.System, NullLogger<HandoffTable>.Instance);
        var puller = new KvPuller(transport, new(), TimeProvider.System, NullLogger<KvPuller>.Instance);
        int[] prompt = [.. Enumerable.Range(3, BlockSize), .. Enumerable.Repeat(Placeholder, Grid.Tokens), .. Enumerable.Range(40, 20)];
        PromptImage Of(int seed) => new(BlockSize, Grid, Rows(seed), [.. Enumerable.Range(5, deepstack).Select(layer => (ReadOnlyMemory<float>)Rows(layer))]);
        var request = Request(prompt, Of(1)) with { Sampling = new() { Temperature = 0, MaxTokens = 8, IgnoreEos = true }, CaptureLogits = true };
        var alone = await AllAsync(prefill.Submit(request));
        var first = Assert.Single(await AllAsync(prefill.Submit(request with { ParkAfterFirstToken = true })));
        Assert.Equal(48, first.CachedTokens);
        var ticket = await table.ParkAsync(first.Parked!, prompt, first.Token!, firstFinishReason: null, TestContext.Current.CancellationToken);

        foreach (var (images, difference) in ((PromptImage[], string)[])[([Of(2)], "prefill and decode saw different images"), ([], "prefill saw images, decode text alone")])
        {
            using var other = await decode.ReserveAsync(prompt, images, TestContext.Current.CancellationToken);
            var refused = await Assert.ThrowsAsync<KvTransferException>(() => puller.PullAsync(ticket, prompt, other, to.KvMemory, default));
            Assert.Equal((KvTransferException.IncompatibleLayout, difference), (refused.Code, refused.Message));
        }
        for (var turn = 0; turn < 2; turn++)                                 // the second time most blocks are cached
        {
            var same = await decode.ReserveAsync(prompt, [Of(1)], TestContext.Current.CancellationToken);
            Assert.Equal(turn == 0 ? 0 : 3, same.CachedBlocks);
            await puller.PullAsync(ticket, prompt, same, to.KvMemory, TestContext.Current.CancellationToken);
            var rest = await AllAsync(decode.Submit(request with { Images = [Of(1)], Reservation = same, FirstToken = first.Token }));
            Assert.Equal(alone.Select(output => output.Token!.Id), rest.Select(output => output.Token!.Id));
            foreach (var (a, b) in alone.Skip(1).Zip(rest.Skip(1))) Assert.Equal(a.Logits, b.Logits);
        }
        table.Free([ticket.SeqId]);
    }

    [Fact]
    public async Task Text_is_handed_over_as_before_and_never_to_a_prompt_with_images()
    {
        using var runner = Load("qwen3-vl");
        await using var loop = new EngineLoop(runner, new() { PrefixCaching = false }, TimeProvider.System, NullLogger<EngineLoop>.Instance);
        await using var transport = KvTransports.Create("loopback", new(), TimeProvider.System, NullLoggerFactory.Instance);
        await using var table = new HandoffTable(transport, runner.KvMemory, new() { EngineId = "p", Incarnation = "i" }, TimeProvider.System, NullLogger<HandoffTable>.Instance);
        int[] prompt = [3, .. Enumerable.Repeat(Placeholder, Grid.Tokens), 4];
        var first = Assert.Single(await AllAsync(loop.Submit(Request(prompt) with { ParkAfterFirstToken = true })));
        var ticket = await table.ParkAsync(first.Parked!, prompt, first.Token!, firstFinishReason: null, TestContext.Current.CancellationToken);
        Assert.Equal((null, Convert.ToHexStringLower(XxHash64.Hash(MemoryMarshal.AsBytes<int>(prompt)))), (ticket.ImagesDigest, ticket.PromptHash));
        TicketCheck.Validate(ticket, prompt, imagesDigest: null, runner.KvMemory.Layout);
        var puller = new KvPuller(transport, new(), TimeProvider.System, NullLogger<KvPuller>.Instance);
        using var reservation = await loop.ReserveAsync(prompt, [Image(1, first: 1)], TestContext.Current.CancellationToken);
        var refused = await Assert.ThrowsAsync<KvTransferException>(() => puller.PullAsync(ticket, prompt, reservation, runner.KvMemory, default));
        Assert.Equal("prefill saw text alone, decode images", refused.Message);
    }

    [Fact]
    public async Task Images_that_do_not_fit_are_refused()
    {
        using var runner = Load("qwen3-vl");
        await using var loop = new EngineLoop(runner, new(), TimeProvider.System, NullLogger<EngineLoop>.Instance);
        int[] prompt = [3, .. Enumerable.Repeat(Placeholder, Grid.Tokens), 4];
        Refused("must be placeholders", Image(1, first: 0));
        Refused("must be placeholders", Image(1, first: 2));
        Refused("does not fit a prompt of 22", Image(1, first: 3));
        Refused("must not overlap", Image(1, first: 1), Image(2, first: 1));
        Refused("brings 0 deepstack layers, the model has 2", new PromptImage(1, Grid, Rows(1), []));
        Refused("not rows of 64", new PromptImage(1, Grid, new float[7], [Rows(2), Rows(3)]));
        Refused("as many and as long", new PromptImage(1, Grid, Rows(1), [Rows(2), new float[3]]));
        var e = await Assert.ThrowsAsync<ArgumentException>(async () => await loop.ReserveAsync(prompt, [Image(1, first: 0)], default));
        Assert.Contains("must be placeholders", e.Message, StringComparison.Ordinal);

        using var text = Load("qwen3-dense-tied");
        await using var other = new EngineLoop(text, new(), TimeProvider.System, NullLogger<EngineLoop>.Instance);
        Assert.Contains("takes no images", Assert.Throws<ArgumentException>(() => other.Submit(Request([1, 2], Image(1)))).Message, StringComparison.Ordinal);

        void Refused(string reason, params PromptImage[] images) =>
            Assert.Contains(reason, Assert.Throws<ArgumentException>(() => loop.Submit(Request(prompt, images))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reservation_is_for_its_own_images()
    {
        using var runner = Load("qwen3-vl");
        await using var loop = new EngineLoop(runner, new(), TimeProvider.System, NullLogger<EngineLoop>.Instance);
        int[] prompt = [3, .. Enumerable.Repeat(Placeholder, Grid.Tokens), 4];
        using var reservation = await loop.ReserveAsync(prompt, [Image(1, first: 1)], TestContext.Current.CancellationToken);
        var other = Request(prompt, Image(2, first: 1)) with { Reservation = reservation, FirstToken = new(5) };
        Assert.Contains("another prompt", Assert.Throws<ArgumentException>(() => loop.Submit(other)).Message, StringComparison.Ordinal);
        using var equal = loop.Submit(other with { Images = [Image(1, first: 1)] });   // another object with the same numbers
    }

    private static IModelRunner Load(string name) => ModelLoader.Load(Path.Combine(RepositoryPaths.Goldens, name), new() { BlockSize = BlockSize, Threads = 1, MaxSequences = 4, MaxModelLength = 256 });

    private static PromptImage Image(int seed, int first = BlockSize, int deepstack = 2, ImageGrid? grid = null) => new(first, grid ?? Grid, Rows(seed), [Rows(deepstack), Rows(3)]);

    private static float[] Rows(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Grid.Tokens * Hidden).Select(_ => (float)(random.NextDouble() - 0.5))];
    }

    private static GenerationRequest Request(int[] prompt, params PromptImage[] images) => new() { PromptTokens = prompt, Images = images, Sampling = new() { Temperature = 0, MaxTokens = 2, IgnoreEos = true } };

    private static async Task<int> CachedAsync(EngineLoop loop, int[] prompt, params PromptImage[] images) => (await AllAsync(loop.Submit(Request(prompt, images)))).Sum(output => output.CachedTokens);

    private static async Task<List<GenerationOutput>> AllAsync(GenerationHandle handle)
    {
        using var owned = handle;
        return await handle.Outputs.ReadAllAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
    }
}
