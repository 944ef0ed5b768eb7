using NanoAspire.Engine.Tests.Fakes;

namespace NanoAspire.Engine.Tests.Scheduling;

/// <summary>Which tokens run in which step.</summary>
public sealed class SchedulingTests
{
    [Fact]
    public void A_long_prompt_runs_in_chunks_and_says_nothing_before_the_last()
    {
        using var engine = Engine(blocks: 200, blockSize: 64, new() { MaxBatchedTokens = 4096 }, maxPositions: 16384);
        var sequence = engine.Submit(Greedy(Prompt(10_000), maxTokens: 1));
        engine.Step();
        engine.Step();
        Assert.Empty(SteppedEngine.Events(sequence));
        var only = Assert.Single(engine.Finish(sequence));
        Assert.Equal([[4096], [4096], [1808]], engine.Runner.Steps);
        Assert.Equal(engine.Runner.Generate(Prompt(10_000), 1)[0], only.Token!.Id);
    }

    [Fact]
    public void Two_prompts_share_the_budget_and_a_decode_comes_first()
    {
        using var engine = Engine(blocks: 200, blockSize: 64, new() { MaxBatchedTokens = 4096 });
        engine.Submit(Greedy(Prompt(3000), maxTokens: 5));
        engine.Submit(Greedy(Prompt(3000, start: 7), maxTokens: 5));
        engine.Step();
        engine.Step();
        engine.Step();
        Assert.Equal([[3000, 1096], [1, 1904], [1, 1]], engine.Runner.Steps);
    }

    [Fact]
    public void Chunks_go_to_the_oldest_prompt_first_and_decodes_never_wait()
    {
        using var engine = Engine(blocks: 100, blockSize: 4, new() { MaxBatchedTokens = 8, MaxSequences = 4 });
        engine.Submit(Greedy(Prompt(4), maxTokens: 10));
        engine.Step();
        engine.Submit(Greedy(Prompt(12, start: 20), maxTokens: 3));
        engine.Submit(Greedy(Prompt(9, start: 40), maxTokens: 3));
        for (var i = 0; i < 4; i++) engine.Step();
        Assert.Equal([[4], [1, 7], [1, 5, 2], [1, 1, 6], [1, 1, 1]], engine.Runner.Steps);
    }

    [Fact]
    public void The_second_use_of_a_prompt_computes_only_its_last_block()
    {
        using var engine = Engine(blocks: 64, blockSize: 64, new());
        var first = engine.Finish(engine.Submit(Greedy(Prompt(640), maxTokens: 2)));
        var second = engine.Finish(engine.Submit(Greedy(Prompt(640), maxTokens: 2)));
        Assert.Equal([[640], [1], [64], [1]], engine.Runner.Steps);
        Assert.Equal((0, 576), (first[0].CachedTokens, second[0].CachedTokens));
        Assert.Equal(0, second[1].CachedTokens);
        Assert.Equal(first.Select(o => o.Token!.Id), second.Select(o => o.Token!.Id));
        Assert.Equal((576, 1280), (engine.Status.PrefixHitTokens, engine.Status.PromptTokens));
    }

    [Fact]
    public void Only_completed_blocks_of_a_prompt_still_in_chunks_are_hit()
    {
        using var engine = Engine(blocks: 64, blockSize: 64, new() { MaxBatchedTokens = 200 });
        engine.Submit(Greedy(Prompt(640), maxTokens: 1));
        engine.Step();                                     // 200 tokens: three blocks are complete
        var second = engine.Submit(Greedy(Prompt(640), maxTokens: 1));
        engine.Step();                                     // the first takes the whole budget
        engine.Step();
        engine.Step();
        Assert.Equal([[200], [200], [200], [40, 64]], engine.Runner.Steps);
        Assert.Equal(576, Assert.Single(engine.Finish(second)).CachedTokens);

        using var early = Engine(blocks: 64, blockSize: 64, new() { MaxBatchedTokens = 300 });
        early.Submit(Greedy(Prompt(200), maxTokens: 1));
        early.Submit(Greedy(Prompt(200), maxTokens: 1));   // admitted in the same step: nothing is computed yet
        early.Step();
        Assert.Equal([[200, 100]], early.Runner.Steps);
    }

    [Fact]
    public void Generated_tokens_are_hit_by_the_next_turn()
    {
        using var engine = Engine(blocks: 32, blockSize: 4, new());
        var answer = engine.Finish(engine.Submit(Greedy(Prompt(6), maxTokens: 10))).Select(o => o.Token!.Id);
        var next = engine.Finish(engine.Submit(Greedy([.. Prompt(6), .. answer, 9, 9], maxTokens: 1)));
        Assert.Equal(12, next[0].CachedTokens);            // 15 of the 16 tokens have KV: the last one was never fed back
    }

    [Fact]
    public void Without_prefix_caching_everything_is_computed()
    {
        using var engine = Engine(blocks: 32, blockSize: 4, new() { PrefixCaching = false });
        var first = engine.Finish(engine.Submit(Greedy(Prompt(16), maxTokens: 1)));
        var second = engine.Finish(engine.Submit(Greedy(Prompt(16), maxTokens: 1)));
        Assert.Equal([[16], [16]], engine.Runner.Steps);
        Assert.Equal(first[0].Token!.Id, second[0].Token!.Id);
        Assert.Equal(0, second[0].CachedTokens);
    }

    [Fact]
    public void Every_position_is_written_where_the_table_says()
    {
        using var engine = Engine(blocks: 8, blockSize: 4, new());
        var written = new List<(int Position, int Block, int Slot)>();
        var tables = new List<int[]>();
        engine.Runner.BeforeRun = batch =>
        {
            var s = batch.Sequences.Single();
            tables.Add([.. s.Blocks]);
            foreach (var p in batch.Positions) written.Add((p, s.Blocks[p / 4], p % 4));
        };
        var sequence = engine.Submit(Greedy(Prompt(4), maxTokens: 9));
        var tokens = engine.Finish(sequence).Select(o => o.Token!.Id).ToList();
        var table = tables[^1];
        Assert.Equal(Enumerable.Range(0, 12).Select(p => (p, table[p / 4], p % 4)), written);
        Assert.Equal([.. Prompt(4), .. tokens[..^1]], engine.Runner.Memory.Read(table, 12));
        Assert.Equal(3, table.Length);                     // no block is taken before its first position is written
    }

    [Fact]
    public void When_blocks_run_out_the_younger_goes_on_later_with_the_same_tokens()
    {
        using var engine = Engine(blocks: 5, blockSize: 4, new());
        var (a, b) = (Greedy(Prompt(6), maxTokens: 8), Greedy(Prompt(6, start: 30), maxTokens: 8));
        var (first, second) = (engine.Submit(a), engine.Submit(b));
        engine.RunUntilIdle();
        Assert.Equal(1, engine.Status.Preemptions);
        Assert.Equal(engine.Runner.Generate(a.PromptTokens, 8, true), SteppedEngine.Events(first).Select(o => o.Token!.Id));
        Assert.Equal(engine.Runner.Generate(b.PromptTokens, 8, true), SteppedEngine.Events(second).Select(o => o.Token!.Id));
        Assert.Equal((0, 4), (engine.Status.BlocksUsed, engine.Status.BlocksFree));
    }

    [Fact]
    public void A_preempted_sequence_computes_prompt_and_output_again_in_chunks()
    {
        // 100 + 50 tokens, then the older one needs the block; nothing is cached, so all of it is computed again.
        using var engine = Engine(blocks: 31, blockSize: 8, new() { MaxBatchedTokens = 64, MaxSequences = 2, PrefixCaching = false });
        var older = engine.Submit(Greedy(Prompt(40, start: 3), maxTokens: 53));
        engine.Step();
        var younger = engine.Submit(Greedy(Prompt(100), maxTokens: 100));
        while (engine.Status.Preemptions == 0) engine.Step();
        Assert.Equal(1, engine.Status.Waiting);
        var generated = younger.Generated;
        engine.Runner.Steps.Clear();
        var tokens = engine.Finish(younger).Select(o => o.Token!.Id);
        Assert.Equal(engine.Runner.Generate(Prompt(100), 100, true), tokens);

        var again = engine.Runner.Steps.SelectMany(step => step).Where(n => n > 1).ToList();
        Assert.Equal(100 + generated, again.Sum());
        Assert.Equal(64, again[0]);
        Assert.Equal(engine.Runner.Generate(Prompt(40, start: 3), 53, true), SteppedEngine.Events(older).Select(o => o.Token!.Id));
    }

    [Fact]
    public void A_preempted_sequence_finds_its_own_blocks_in_the_cache()
    {
        using var engine = Engine(blocks: 21, blockSize: 4, new() { MaxSequences = 2 });
        engine.Submit(Greedy(Prompt(8, start: 50), maxTokens: 20));
        var younger = engine.Submit(Greedy(Prompt(40), maxTokens: 20));
        while (engine.Status.Preemptions == 0) engine.Step();
        engine.Runner.Steps.Clear();
        var before = younger.TokenCount;
        while (younger.State != NanoAspire.Engine.Scheduling.ClaimState.Running) engine.Step();
        Assert.True(engine.Runner.Steps[^1].Max() < before / 2, "most of it is hit");
        Assert.Equal(engine.Runner.Generate(Prompt(40), 20, true), engine.Finish(younger).Select(o => o.Token!.Id));
        Assert.Equal(0, engine.Status.PrefixHitTokens);    // counts prompts at their first admission, not returns
    }

    [Fact]
    public void Nobody_overtakes_a_head_that_does_not_fit()
    {
        using var engine = Engine(blocks: 11, blockSize: 4, new());
        engine.Submit(Greedy(Prompt(20), maxTokens: 8));
        engine.Step();
        var large = engine.Submit(Greedy(Prompt(24, start: 8), maxTokens: 2));
        var small = engine.Submit(Greedy(Prompt(2, start: 40), maxTokens: 2));
        engine.Step();
        Assert.Equal(2, engine.Status.Waiting);
        engine.RunUntilIdle();
        Assert.Equal(2, SteppedEngine.Events(large).Count);
        Assert.Equal(2, SteppedEngine.Events(small).Count);
        Assert.Equal(0, engine.Status.Preemptions);
    }

    [Fact]
    public void A_fully_cached_prompt_is_admitted_when_few_blocks_are_free()
    {
        using var engine = Engine(blocks: 9, blockSize: 4, new());
        var running = engine.Submit(Greedy(Prompt(24), maxTokens: 8));
        engine.Step();                                     // 6 of 8 blocks
        engine.Submit(Greedy(Prompt(24), maxTokens: 1));   // shares 5, needs 1
        engine.Step();
        Assert.Equal([1, 4], engine.Runner.Steps[^1]);
        Assert.Equal(8, engine.Finish(running).Count);
    }

    [Fact]
    public void Every_slot_is_used_and_none_too_many()
    {
        using var engine = Engine(blocks: 200, blockSize: 4, new() { MaxSequences = 20, MaxBatchedTokens = 100 });
        for (var i = 0; i < 25; i++) engine.Submit(Greedy(Prompt(3, start: i), maxTokens: 4));
        engine.Step();
        Assert.Equal((20, 5), (engine.Status.Running, engine.Status.Waiting));
        engine.Step();
        Assert.Equal(20, engine.Runner.Steps[^1].Length);
    }

    [Fact]
    public void A_lone_sequence_that_fills_the_memory_ends_with_length()
    {
        using var engine = Engine(blocks: 4, blockSize: 4, new());
        var events = engine.Finish(engine.Submit(Greedy(Prompt(5), maxTokens: 1000)));
        Assert.Equal(FinishReason.Length, events[^1].Finish);
        Assert.Equal(12 - 5 + 1, events.Count);            // the last token needs no slot
        Assert.Equal(engine.Runner.Generate(Prompt(5), 8, true), events.Select(o => o.Token!.Id));
    }

    [Fact]
    public void The_context_of_the_model_is_never_exceeded()
    {
        using var engine = Engine(blocks: 40, blockSize: 4, new(), maxPositions: 20);
        var events = engine.Finish(engine.Submit(Greedy(Prompt(5), maxTokens: 1000)));
        Assert.Equal((15, FinishReason.Length), (events.Count, events[^1].Finish));
    }

    private static SteppedEngine Engine(int blocks, int blockSize, EngineOptions options, int maxPositions = 4096) =>
        new(new FakeRunner(blocks, blockSize, maxPositions: maxPositions), options);

    private static int[] Prompt(int length, int start = 0) => [.. Enumerable.Range(start, length).Select(i => 1 + i * 7 % 63)];

    private static GenerationRequest Greedy(int[] prompt, int maxTokens) =>
        new() { PromptTokens = prompt, Sampling = new() { Temperature = 0, MaxTokens = maxTokens, IgnoreEos = true } };
}
