using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Loading;
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
    }

    private static IModelRunner Load(string name) => ModelLoader.Load(Path.Combine(RepositoryPaths.Goldens, name), new() { BlockSize = BlockSize, Threads = 1, MaxSequences = 4, MaxModelLength = 256 });

    private static PromptImage Image(int seed, int first = BlockSize, int deepstack = 2, ImageGrid? grid = null) => new(first, grid ?? Grid, Rows(seed), [Rows(deepstack), Rows(3)]);

    private static float[] Rows(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Grid.Tokens * Hidden).Select(_ => (float)(random.NextDouble() - 0.5))];
    }

    private static GenerationRequest Request(int[] prompt, params PromptImage[] images) => new() { PromptTokens = prompt, Images = images, Sampling = new() { Temperature = 0, MaxTokens = 2, IgnoreEos = true } };

    private static async Task<int> CachedAsync(EngineLoop loop, int[] prompt, params PromptImage[] images)
    {
        using var handle = loop.Submit(Request(prompt, images));
        var cached = 0;
        await foreach (var output in handle.Outputs.ReadAllAsync(TestContext.Current.CancellationToken)) cached += output.CachedTokens;
        return cached;
    }
}
