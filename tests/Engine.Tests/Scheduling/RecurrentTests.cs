using NanoAspire.Engine.Scheduling;
using NanoAspire.Engine.Tests.Fakes;

namespace NanoAspire.Engine.Tests.Scheduling;

/// <summary>Sequences with a recurrent state: a slot each, and kept states that prefixes are hit at.</summary>
public sealed class RecurrentTests
{
    private const int BlockSize = 4;

    [Fact]
    public void A_prompt_is_hit_at_its_last_full_block_and_an_opening_every_sixteen()
    {
        using var engine = Engine(slots: 8);
        var prompt = Prompt(150);
        Assert.Equal(0, Run(engine, prompt));
        Assert.Equal(148, Run(engine, prompt));
        Assert.Equal(148, Run(engine, [.. prompt, 9, 9, 9, 9, 9, 9]));
        Assert.Equal(128, Run(engine, [.. prompt[..140], 9, 9, 9]));         // 64 and 128 are kept, 140 is not
        Assert.Equal(64, Run(engine, [.. prompt[..70], 9, 9, 9]));
        Assert.Equal(0, Run(engine, [.. prompt[..60], 9, 9, 9]));
    }

    [Fact]
    public void A_chunk_ends_where_a_state_is_kept_and_nowhere_else_when_nothing_is()
    {
        using (var engine = Engine(slots: 8))
        {
            Run(engine, Prompt(70));
            Assert.Equal([64, 4, 2], engine.Runner.Steps.Select(step => step[0]).Take(3));
        }
        using (var uncached = Engine(slots: 8, caching: false))
        {
            Run(uncached, Prompt(70));
            Assert.Equal(70, uncached.Runner.Steps[0][0]);
        }
    }

    [Fact]
    public void An_answer_that_is_continued_is_hit_at_its_latest_state()
    {
        using var engine = Engine(slots: 8);
        var prompt = Prompt(10);
        var request = Greedy(prompt, tokens: 21);
        engine.Finish(engine.Submit(request));
        int[] whole = [.. prompt, .. engine.Runner.Generate(prompt, 21, ignoreEos: true)];
        Assert.Equal(28, Run(engine, [.. whole, 5, 5, 5]));                  // 30 tokens are computed
        Assert.Equal(8, Run(engine, [.. whole[..20], 7, 7]));                // the states at 12 … 24 made room for the one at 28
    }

    [Fact]
    public void One_slot_serves_one_sequence_after_the_other_and_keeps_nothing()
    {
        using var engine = Engine(slots: 1);
        var sequences = Enumerable.Range(0, 3).Select(i => engine.Submit(Greedy(Prompt(20 + i), tokens: 5))).ToArray();
        engine.Step();
        Assert.Equal((1, 2, 1), (engine.Status.Running, engine.Status.Waiting, engine.Status.StateSlotsUsed));
        engine.RunUntilIdle();
        for (var i = 0; i < 3; i++)
        {
            var events = SteppedEngine.Events(sequences[i]);
            Assert.Equal(engine.Runner.Generate(Prompt(20 + i), 5, ignoreEos: true), events.Select(o => o.Token!.Id));
            Assert.Equal(0, events[0].CachedTokens);
        }
        Assert.Equal(0, engine.Status.StateSlotsUsed);
    }

    [Fact]
    public void The_least_recently_used_state_goes_first()
    {
        using var engine = Engine(slots: 3);                                 // one runs, and two are kept
        int[][] prompts = [Prompt(9, seed: 1), Prompt(9, seed: 2), Prompt(9, seed: 3)];
        Run(engine, prompts[0]);
        Run(engine, prompts[1]);
        Assert.Equal(8, Run(engine, prompts[0]));
        Run(engine, prompts[2]);
        Assert.Equal(8, Run(engine, prompts[0]));
        Assert.Equal(0, Run(engine, prompts[1]));
    }

    [Fact]
    public void A_parked_prompt_holds_its_slot_until_it_is_released()
    {
        using var engine = Engine(slots: 2);
        var first = Assert.Single(engine.Finish(engine.Submit(Greedy(Prompt(8), 5) with { ParkAfterFirstToken = true })));
        Assert.Equal(2 + engine.Runner.Memory.Layout.StateBlocks, first.Parked!.Blocks.Count);
        Assert.Equal(8, engine.Runner.Memory.State(engine.Runner.Memory.SlotOf(first.Parked.Blocks, 8)).Tokens);
        Assert.Equal(1, engine.Status.StateSlotsUsed);
        first.Parked.Release();
        engine.RunUntilIdle();
        Assert.Equal(0, engine.Status.StateSlotsUsed);
    }

    [Fact]
    public async Task A_reservation_shares_blocks_without_a_kept_state_because_the_state_comes_with_the_rest()
    {
        using var engine = Engine(slots: 4);
        var prompt = Prompt(18);
        Run(engine, prompt);
        var longer = (int[])[.. prompt[..12], 1, 1, 1];
        var reservation = engine.Reserve(longer);
        engine.Step();
        Assert.Equal(3, reservation.CachedBlocks);
        var granted = await reservation.Granted;
        Assert.Equal(4 + engine.Runner.Memory.Layout.StateBlocks, granted.Blocks.Count);
        engine.Runner.Memory.Pull(longer, granted.Blocks, granted.CachedBlocks);
        var request = Greedy(longer, 9) with { Reservation = granted, FirstToken = new(engine.Runner.Generate(longer, 1, true)[0]) };
        Assert.Equal(engine.Runner.Generate(longer, 9, true), engine.Finish(engine.Submit(request)).Select(o => o.Token!.Id));
    }

    [Fact]
    public void Preempted_sequences_compute_their_state_again()
    {
        using var engine = new SteppedEngine(new FakeRunner(14, BlockSize, stateSlots: 9), new() { MaxSequences = 3, MaxBatchedTokens = 16 });
        var sequences = Enumerable.Range(0, 3).Select(i => engine.Submit(Greedy(Prompt(9, seed: i), tokens: 30))).ToArray();
        engine.RunUntilIdle();
        Assert.True(engine.Status.Preemptions > 0);
        for (var i = 0; i < 3; i++)
            Assert.Equal(engine.Runner.Generate(Prompt(9, seed: i), 30, ignoreEos: true), SteppedEngine.Events(sequences[i]).Select(o => o.Token!.Id));
    }

    private static SteppedEngine Engine(int slots, bool caching = true) =>
        new(new FakeRunner(200, BlockSize, stateSlots: slots), new() { MaxSequences = 4, MaxBatchedTokens = 256, PrefixCaching = caching });

    private static int[] Prompt(int length, int seed = 7)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(1, 60))];
    }

    private static GenerationRequest Greedy(int[] prompt, int tokens) => new() { PromptTokens = prompt, Sampling = new() { Temperature = 0, MaxTokens = tokens, IgnoreEos = true } };

    /// <summary>Generates two tokens, checks them, and says how much of the prompt was hit.</summary>
    private static int Run(SteppedEngine engine, int[] prompt)
    {
        var events = engine.Finish(engine.Submit(Greedy(prompt, tokens: 2)));
        Assert.Equal(engine.Runner.Generate(prompt, 2, ignoreEos: true), events.Select(o => o.Token!.Id));
        return events[0].CachedTokens;
    }
}
