using NanoAspire.Engine.Scheduling;
using NanoAspire.Engine.Speculation;
using NanoAspire.Engine.Tests.Fakes;

namespace NanoAspire.Engine.Tests.Speculation;

/// <summary>The draft module gets the rows, tokens and blocks that it needs, whatever happens to the sequences.</summary>
public sealed class MtpDrafterTests
{
    private const int Memory = 3, BlockSize = 4;

    [Theory, InlineData(1, false), InlineData(4, false), InlineData(8, false), InlineData(1, true), InlineData(4, true)]
    public void A_module_that_is_right_saves_nearly_all_steps(int drafts, bool recurrent)
    {
        var (engine, module) = Engine(drafts, recurrent: recurrent);
        using var _ = engine;
        var prompt = LoopFixture.Prompt(9);
        Assert.Equal(engine.Runner.Generate(prompt, 80, true), Ids(engine.Finish(engine.Submit(Greedy(prompt, 80)))));
        Assert.Equal(engine.Status.DraftedTokens, engine.Status.AcceptedTokens);
        Assert.InRange(engine.Status.AcceptedTokens, 80 * drafts / (drafts + 1) * 2 / 3, 80);
        Assert.Equal(0, module.Rows.Blind);
    }

    [Fact]
    public void Sequences_draft_together()
    {
        var (engine, module) = Engine(3);
        using var _ = engine;
        var sequences = Enumerable.Range(0, 5).Select(i => engine.Submit(Greedy(LoopFixture.Prompt(3 + 4 * i, i), 40))).ToArray();
        engine.RunUntilIdle();
        for (var i = 0; i < 5; i++) Assert.Equal(engine.Runner.Generate(LoopFixture.Prompt(3 + 4 * i, i), 40, true), Ids(SteppedEngine.Events(sequences[i])));
        Assert.Equal(5, module.Widest);
        Assert.Equal(engine.Status.DraftedTokens, engine.Status.AcceptedTokens);
    }

    [Fact]
    public void Prompts_come_in_chunks()
    {
        var (engine, _) = Engine(3, options: new() { MaxBatchedTokens = 5, MaxSequences = 2 });
        using var disposed = engine;
        var prompt = LoopFixture.Prompt(23);
        Assert.Equal(engine.Runner.Generate(prompt, 30, true), Ids(engine.Finish(engine.Submit(Greedy(prompt, 30)))));
        Assert.Equal(engine.Status.DraftedTokens, engine.Status.AcceptedTokens);
    }

    [Fact]
    public void A_prefix_hit_brings_the_modules_keys_along()
    {
        var (engine, module) = Engine(2);
        using var _ = engine;
        var prompt = LoopFixture.Prompt(17);
        engine.Finish(engine.Submit(Greedy(prompt, 10)));
        var before = module.Rows;
        var events = engine.Finish(engine.Submit(Greedy(prompt, 10)));
        Assert.Equal(16, events[0].CachedTokens);
        Assert.Equal(before.Blind, module.Rows.Blind);                       // one token of the prompt is computed, and it has the others' keys
        Assert.Equal(engine.Status.DraftedTokens, engine.Status.AcceptedTokens);
    }

    [Fact]
    public async Task After_a_hand_off_drafts_begin_with_the_next_block_and_blocks_without_keys_are_not_hit_for_them()
    {
        var (engine, module) = Engine(2);
        using var _ = engine;
        var prompt = LoopFixture.Prompt(9);
        var whole = engine.Runner.Generate(prompt, 30, true);
        var reservation = engine.Reserve(prompt);
        engine.Step();
        var granted = await reservation.Granted;
        engine.Runner.Memory.Pull(prompt, granted.Blocks, granted.CachedBlocks);
        Assert.Equal(whole, Ids(engine.Finish(engine.Submit(Greedy(prompt, 30) with { Reservation = granted, FirstToken = new(whole[0]) }))));
        Assert.InRange(engine.Status.AcceptedTokens, 10, engine.Status.DraftedTokens);
        Assert.InRange(module.Rows.Blind, 1, 2 * Memory);

        // The pulled blocks are hit, but the module must not look into them.
        var blind = module.Rows.Blind;
        Assert.Equal(whole, Ids(engine.Finish(engine.Submit(Greedy(prompt, 30)))));
        Assert.True(module.Rows.Blind > blind);
    }

    [Fact]
    public void A_module_that_fails_ends_the_sequences_of_the_step_only()
    {
        var runner = new FakeRunner(100, BlockSize, memory: Memory);
        var fails = true;
        using var engine = new SteppedEngine(runner, new(), new Switch(() => fails));
        Assert.Equal(FinishReason.Error, engine.Finish(engine.Submit(Greedy([1, 2, 3], 9)))[^1].Finish);
        fails = false;
        Assert.Equal(FinishReason.Length, engine.Finish(engine.Submit(Greedy([1, 2, 3], 9)))[^1].Finish);
        Assert.Equal((0, true), (engine.Status.BlocksUsed, engine.Status.Healthy));
    }

    private static (SteppedEngine Engine, FakeDraftRunner Module) Engine(int drafts, bool recurrent = false, EngineOptions? options = null)
    {
        var runner = new FakeRunner(100, BlockSize, stateSlots: recurrent ? 6 : 0, memory: Memory);
        var module = new FakeDraftRunner(runner, Memory);
        return (new(runner, options ?? new(), new MtpDrafter(module, runner.Model.VocabSize, BlockSize, drafts)), module);
    }

    private static GenerationRequest Greedy(int[] prompt, int tokens) => new() { PromptTokens = prompt, Sampling = new() { Temperature = 0, MaxTokens = tokens, IgnoreEos = true } };

    private static IEnumerable<int> Ids(IEnumerable<GenerationOutput> events) => events.Select(o => o.Token!.Id);

    private sealed class Switch(Func<bool> fails) : IDrafter
    {
        public void Draft(IReadOnlyList<DraftInput> step)
        {
            if (fails()) throw new InvalidOperationException("the module is broken");
        }
    }
}
