using System.Runtime.InteropServices;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Tests.Execution;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>Prompts with images, their rows taken from the reference's vision tower.</summary>
public sealed class GoldenImageTests
{
    private const int DecodedTokens = 24;

    public static TheoryData<string> Models => ["qwen3-vl", "qwen3.5-moe"];

    [Theory, MemberData(nameof(Models))]
    public void Greedy_tokens_and_logits_are_those_of_the_reference(string name) => ForEachPrompt(name, (driver, golden, prompt, images) =>
    {
        var sequence = driver.Generate(prompt.PromptIds, DecodedTokens, images: images);
        Assert.Equal(prompt.GreedyIds, sequence.Generated);
        AssertClose(prompt.LogitsLast, sequence.Logits[0], golden.Tolerance.Logits);
        AssertClose(prompt.FinalLogits, sequence.Logits[^1], golden.Tolerance.Logits);
    });

    [Theory, MemberData(nameof(Models))]
    public void Chunks_that_cut_an_image_change_no_bit(string name) => ForEachPrompt(name, (driver, _, prompt, images) =>
    {
        var whole = driver.Generate(prompt.PromptIds, DecodedTokens, images: images);
        foreach (var chunk in (int[])[1, 5, 7, 33])
        {
            var cut = driver.Generate(prompt.PromptIds, DecodedTokens, chunk, images: images);
            Assert.Equal(whole.Generated, cut.Generated);
            for (var i = 0; i < DecodedTokens; i++) Assert.True(MemoryMarshal.AsBytes<float>(whole.Logits[i]).SequenceEqual(MemoryMarshal.AsBytes<float>(cut.Logits[i])), $"logits of token {i} differ");
        }
    });

    [Theory, MemberData(nameof(Models))]
    public void A_text_beside_it_in_the_step_changes_no_bit(string name) => ForEachPrompt(name, (driver, golden, prompt, images) =>
    {
        var text = golden.TextPrompts.First().PromptIds;
        var alone = (driver.Generate(prompt.PromptIds, count: 3, images: images), driver.Generate(text, count: 3));
        var half = driver.Runner.KvMemory.KvBlocks / 2;
        var both = (driver.Start(prompt.PromptIds, [.. Enumerable.Range(half, half)], images), driver.Start(text));
        for (var i = 0; i < 3; i++)
        {
            driver.With(both.Item2, both.Item2.Tokens.Count - both.Item2.Computed).With(both.Item1, both.Item1.Tokens.Count - both.Item1.Computed);
            driver.Step();
        }
        Assert.Equal(alone.Item1.Logits, both.Item1.Logits);
        Assert.Equal(alone.Item2.Logits, both.Item2.Logits);
    });

    [Theory, MemberData(nameof(Models))]
    public void Positions_are_those_of_the_reference(string name) => ForEachPrompt(name, (_, _, prompt, images) =>
    {
        using var file = new GoldenImages(name, prompt.Vision!);
        var (expected, positions, length) = (file.Positions(), new PromptPositions(prompt.PromptIds.Length, images), prompt.PromptIds.Length);
        for (var token = 0; token < length; token++)
            Assert.Equal(new TokenPosition((int)expected[token], (int)expected[length + token], (int)expected[2 * length + token]), positions.Of(token));
        Assert.Equal(prompt.RopeDelta, positions.Delta);
        Assert.Equal(TokenPosition.Text(length + 5 + prompt.RopeDelta), positions.Of(length + 5));
    });

    [Fact]
    public void A_step_with_an_image_that_does_not_fit_is_refused()
    {
        const string Text = "qwen3-dense-tied", Vision = "qwen3-vl";
        float[] rows = new float[2 * 64], few = new float[64];
        int[] prompt = [5, 318, 318, 6];
        Assert.Contains("an image in a model of text", Refused(Text, new(1, new(1, 1, 2), rows, [])), StringComparison.Ordinal);
        Assert.Contains("whose rows are not those of the model", Refused(Vision, new(1, new(1, 1, 2), rows, [rows])), StringComparison.Ordinal);
        Assert.Contains("whose rows are not those of the model", Refused(Vision, new(1, new(1, 1, 2), rows, [rows, few])), StringComparison.Ordinal);
        Assert.Contains("whose rows are not those of the model", Refused(Vision, new(1, new(1, 1, 2), few, [rows, rows])), StringComparison.Ordinal);
        Run(Vision, new(1, new(1, 1, 2), rows, [rows, rows]));

        string Refused(string name, PromptImage image) => Assert.Throws<ArgumentException>(() => Run(name, image)).Message;

        void Run(string name, PromptImage image)
        {
            using var driver = GreedyDriver.Load(GoldenCase.Folder(name), new() { Threads = 1, MaxSequences = 1, MaxModelLength = 64 });
            driver.Generate(prompt, count: 1, images: [image]);
        }
    }

    private static void ForEachPrompt(string name, Action<GreedyDriver, GoldenCase, GoldenPrompt, PromptImage[]> check)
    {
        var golden = GoldenCase.Read(name);
        using var driver = GreedyDriver.Load(GoldenCase.Folder(name), new() { Threads = 2, BlockSize = 16, MaxSequences = 4 });
        Assert.NotEmpty(golden.ImagePrompts);
        foreach (var prompt in golden.ImagePrompts)
        {
            using var file = new GoldenImages(name, prompt.Vision!);
            check(driver, golden, prompt, file.Read(prompt.PromptIds, prompt.Grids!, driver.Runner.Model.Images!));
        }
    }

    private static void AssertClose(float[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance);
    }
}
