using NanoAspire.Engine.Speculation;
using NanoAspire.Engine.Tests.Fakes;

namespace NanoAspire.Engine.Tests.Speculation;

public sealed class NGramDrafterTests
{
    [Theory]
    [InlineData(new[] { 1, 2, 3, 4, 9, 1, 2 }, new[] { 3, 4, 9 })]             // what came next the last time
    [InlineData(new[] { 1, 2, 5, 8, 1, 2, 6, 8, 1, 2 }, new[] { 6, 8, 1 })]    // the latest of two
    [InlineData(new[] { 7, 1, 2, 5, 5, 5, 1, 2, 6, 6, 7, 1, 2 }, new[] { 5, 5, 5 })]   // the longest agreement before the latest
    [InlineData(new[] { 4, 5, 4, 5 }, new[] { 4, 5, 4 })]                      // a repetition goes on with itself
    [InlineData(new[] { 6, 6, 6 }, new[] { 6, 6, 6 })]
    [InlineData(new[] { 1, 2, 3, 9, 2 }, new int[0])]                          // one token is no agreement
    [InlineData(new[] { 1, 2, 3, 4 }, new int[0])]
    [InlineData(new[] { 5 }, new int[0])]
    [InlineData(new[] { 5, 5 }, new int[0])]
    public void Proposes_what_followed_the_same_tokens_before(int[] tokens, int[] expected)
    {
        var drafts = new int[3];
        var found = NGramDrafter.Propose(tokens, drafts);
        Assert.Equal(expected, drafts[..found]);
    }

    [Fact]
    public void Looks_back_only_so_far()
    {
        var drafts = new int[2];
        int[] far = [1, 2, 3, .. Enumerable.Range(10, 20_000), 1, 2];
        Assert.Equal(0, NGramDrafter.Propose(far, drafts));
        int[] near = [1, 2, 3, .. Enumerable.Range(10, 10_000), 1, 2];
        Assert.Equal(2, NGramDrafter.Propose(near, drafts));
        Assert.Equal([3, 10], drafts);
    }

    [Fact]
    public void A_model_that_repeats_itself_takes_fewer_steps_for_the_same_output()
    {
        var request = new GenerationRequest { PromptTokens = LoopFixture.Prompt(5), Sampling = new() { Temperature = 0, MaxTokens = 200, IgnoreEos = true } };
        var (plain, plainSteps) = Run(null);
        var (drafted, steps) = Run(new NGramDrafter(4));
        Assert.Equal(plain, drafted);
        Assert.InRange(steps, 200 / 5, plainSteps / 2);

        (int[] Tokens, int Steps) Run(IDrafter? drafter)
        {
            using var engine = new SteppedEngine(new FakeRunner(64, 4, vocab: 12, memory: 2), new(), drafter);   // 144 states: it runs into a circle
            return ([.. engine.Finish(engine.Submit(request)).Select(o => o.Token!.Id)], engine.Runner.Steps.Count);
        }
    }

    [Fact]
    public void Wrong_guesses_are_followed_by_fewer_and_right_ones_by_more()
    {
        using var engine = new SteppedEngine(new FakeRunner(64, 4), new());
        var sequence = engine.Submit(LoopFixture.Greedy([1, 2, 3], 5));
        Assert.Equal(8, sequence.DraftLimit);
        foreach (var (drafts, accepted, limit) in ((int, int, int)[])[(8, 3, 4), (4, 0, 1), (1, 1, 2), (2, 2, 4), (4, 4, 8), (8, 8, 8), (3, 3, 8), (3, 2, 3)])
        {
            sequence.Verified(drafts, accepted);
            Assert.Equal(limit, sequence.DraftLimit);
        }
    }

    [Fact]
    public async Task The_option_turns_it_on()
    {
        await using var engine = new LoopFixture(options: new() { Speculation = SpeculationMethod.NGram, SpeculativeTokens = 3 });
        int[] prompt = [.. Enumerable.Repeat((int[])[5, 9, 17], 5).SelectMany(x => x)];
        var tokens = await LoopFixture.Tokens(engine.Loop.Submit(LoopFixture.Greedy(prompt, 40)));
        Assert.Equal(engine.Runner.Generate(prompt, 40, ignoreEos: true), tokens);
        Assert.True((await engine.AtRest()).DraftedTokens > 0);
    }

    [Fact]
    public void Options_are_checked()
    {
        Assert.Contains(new EngineOptions { SpeculativeTokens = 0 }.Validate(), problem => problem.Contains("num-speculative-tokens", StringComparison.Ordinal));
        Assert.Contains(new EngineOptions { SpeculativeTokens = 9 }.Validate(), problem => problem.Contains("num-speculative-tokens", StringComparison.Ordinal));
        Assert.Empty(new EngineOptions { SpeculativeTokens = 8 }.Validate());
    }
}
