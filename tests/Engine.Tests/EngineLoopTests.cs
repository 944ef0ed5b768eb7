using NanoAspire.Engine.Tests.Fakes;
using static NanoAspire.Engine.Tests.Fakes.LoopFixture;

namespace NanoAspire.Engine.Tests;

public sealed class EngineLoopTests
{
    [Fact]
    public async Task A_request_gets_the_tokens_of_the_model_and_leaves_nothing_behind()
    {
        await using var engine = new LoopFixture();
        using var handle = engine.Loop.Submit(Greedy(Prompt(5), 20));
        var events = await All(handle);
        Assert.Equal(engine.Runner.Generate(Prompt(5), 20, ignoreEos: true), events.Select(o => o.Token!.Id));
        Assert.Equal(Enumerable.Range(0, 20), events.Select(o => o.Index));
        Assert.Equal(FinishReason.Length, events[^1].Finish);
        Assert.All(events[..^1], o => Assert.Null(o.Finish));
        Assert.Equal((0, 0, 0), (engine.Loop.Status.Running, engine.Loop.Status.Waiting, engine.Loop.Status.BlocksUsed));
        Assert.Equal((5, 20, 20), (engine.Loop.Status.PromptTokens, engine.Loop.Status.GeneratedTokens, engine.Loop.Status.Steps));
    }

    [Fact]
    public async Task Eos_and_stop_ids_end_a_sequence_and_are_part_of_it()
    {
        await using var engine = new LoopFixture();
        var tokens = engine.Runner.Generate(Prompt(5), 10, ignoreEos: true);
        var stop = tokens[3];
        var first = tokens.IndexOf(stop);
        var request = Greedy(Prompt(5), 10);
        var events = await All(engine.Loop.Submit(request with { Sampling = request.Sampling with { StopTokenIds = [stop] } }));
        Assert.Equal(tokens.Take(first + 1), events.Select(o => o.Token!.Id));
        Assert.Equal(FinishReason.Stop, events[^1].Finish);

        int[] eosNext = [.. Enumerable.Range(1, 60).Select(i => new[] { i, i, i }).First(p => engine.Runner.Generate(p, 8)[^1] == FakeRunner.Eos)];
        events = await All(engine.Loop.Submit(request with { PromptTokens = eosNext, Sampling = request.Sampling with { IgnoreEos = false } }));
        Assert.Equal((FakeRunner.Eos, FinishReason.Stop), (events[^1].Token!.Id, events[^1].Finish));
    }

    [Fact]
    public async Task Seeded_draws_are_the_same_alone_batched_and_unchunked()
    {
        var request = new GenerationRequest { PromptTokens = Prompt(30), Sampling = new() { Temperature = 1, Seed = 42, MaxTokens = 30, IgnoreEos = true } };
        await using var alone = new LoopFixture();
        var expected = await Tokens(alone.Loop.Submit(request));
        await using var busy = new LoopFixture(options: new() { MaxBatchedTokens = 7, MaxSequences = 5 });
        var others = Enumerable.Range(0, 6).Select(i => busy.Loop.Submit(Greedy(Prompt(9 + i, start: i), 25))).ToList();
        Assert.Equal(expected, await Tokens(busy.Loop.Submit(request)));
        Assert.NotEqual(expected, await Tokens(busy.Loop.Submit(request with { Sampling = request.Sampling with { Seed = 43 } })));
        foreach (var other in others) Assert.Equal(25, (await Tokens(other)).Length);
    }

    [Fact]
    public async Task Unseeded_requests_differ()
    {
        await using var engine = new LoopFixture();
        var request = new GenerationRequest { PromptTokens = Prompt(3), Sampling = new() { Temperature = 1.5f, MaxTokens = 30, IgnoreEos = true } };
        Assert.NotEqual(await Tokens(engine.Loop.Submit(request)), await Tokens(engine.Loop.Submit(request)));
    }

    [Fact]
    public async Task Logits_are_captured_when_asked_for()
    {
        await using var engine = new LoopFixture();
        var events = await All(engine.Loop.Submit(Greedy(Prompt(4), 3) with { CaptureLogits = true }));
        Assert.Equal(engine.Runner.LogitsAfter(Prompt(4)), events[0].Logits);
        Assert.Equal(engine.Runner.LogitsAfter([.. Prompt(4), events[0].Token!.Id]), events[1].Logits);
        Assert.Null((await All(engine.Loop.Submit(Greedy(Prompt(4), 1))))[0].Logits);
    }

    [Fact]
    public async Task A_reader_that_never_reads_holds_nobody_up()
    {
        await using var engine = new LoopFixture();
        var slow = engine.Loop.Submit(Greedy(Prompt(4), 100));
        Assert.Equal(100, (await Tokens(engine.Loop.Submit(Greedy(Prompt(4), 100)))).Length);
        Assert.Equal(100, (await Tokens(slow)).Length);
    }

    [Fact]
    public async Task What_can_never_run_is_refused_with_its_code()
    {
        await using var engine = new LoopFixture(blocks: 9, blockSize: 4, maxPositions: 20);
        Refused(EngineRejectedException.ContextLengthExceeded, Prompt(20));
        Assert.Single(await All(engine.Loop.Submit(Greedy(Prompt(19), null))));
        Refused(EngineRejectedException.InvalidToken, [1, 64]);
        Refused(EngineRejectedException.InvalidToken, [-1]);
        Refused(EngineRejectedException.InvalidToken, [1], new() { LogitBias = new Dictionary<int, float> { [64] = 1 } });
        await Assert.ThrowsAsync<EngineRejectedException>(async () => await engine.Loop.ReserveAsync(Prompt(20), default));
        Assert.Throws<ArgumentException>(() => engine.Loop.Submit(Greedy([], 1)));
        Assert.Throws<ArgumentException>(() => engine.Loop.Submit(new() { PromptTokens = [1], Sampling = new() { TopP = 0 } }));
        Assert.Throws<ArgumentException>(() => engine.Loop.Submit(Greedy([1], 1) with { FirstToken = new(1) }));

        await using var small = new LoopFixture(blocks: 4, blockSize: 4);
        Assert.Equal(13, small.Loop.MaxLength);
        var code = Assert.Throws<EngineRejectedException>(() => small.Loop.Submit(Greedy(Prompt(13), 1))).Code;
        Assert.Equal(EngineRejectedException.ContextLengthExceeded, code);
        Assert.Equal(2, (await All(small.Loop.Submit(Greedy(Prompt(11), null)))).Count);
        Assert.Single(await All(small.Loop.Submit(Greedy(Prompt(12), null))));   // its KV fills the blocks, and the last token needs none

        void Refused(string expected, int[] prompt, SamplingParams? sampling = null) =>
            Assert.Equal(expected, Assert.Throws<EngineRejectedException>(() => engine.Loop.Submit(new() { PromptTokens = prompt, Sampling = sampling ?? new() })).Code);
    }

    [Fact]
    public async Task A_full_queue_refuses_and_takes_again_when_someone_has_left()
    {
        await using var engine = new LoopFixture(options: new() { MaxSequences = 2, MaxWaiting = 3, MaxBatchedTokens = 8 });
        var held = engine.HoldStep();
        var handles = Enumerable.Range(0, 5).Select(_ => engine.Loop.Submit(Greedy(Prompt(3), 2))).ToList();
        await held;
        Assert.Equal(EngineRejectedException.QueueFull, Assert.Throws<EngineRejectedException>(() => engine.Loop.Submit(Greedy(Prompt(3), 2))).Code);
        var reserve = await Assert.ThrowsAsync<EngineRejectedException>(async () => await engine.Loop.ReserveAsync(Prompt(3), default));
        Assert.Equal(EngineRejectedException.QueueFull, reserve.Code);
        engine.LetGo();
        foreach (var handle in handles) Assert.Equal(2, (await Tokens(handle)).Length);
        Assert.Equal(2, (await Tokens(engine.Loop.Submit(Greedy(Prompt(3), 2)))).Length);
    }

    [Fact]
    public async Task Options_that_contradict_the_model_are_refused_at_the_start()
    {
        using var runner = new FakeRunner(8, 4, maxPositions: 100);
        var wrong = Assert.Throws<ArgumentException>(() => Start(new() { MaxModelLength = 101, MaxSequences = 0 }));
        Assert.Contains("max-model-len", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("max-num-seqs", wrong.Message, StringComparison.Ordinal);
        await using var loop = Start(new() { MaxModelLength = 10 });
        Assert.Equal(10, loop.MaxLength);

        EngineLoop Start(EngineOptions options) =>
            new(runner, options, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<EngineLoop>.Instance);
    }

    [Fact]
    public async Task The_time_of_the_last_step_comes_from_the_clock_that_was_given()
    {
        var clock = new StoppedClock();
        await using var engine = new LoopFixture(time: clock);
        Assert.Null(engine.Loop.Status.LastStep);
        await All(engine.Loop.Submit(Greedy(Prompt(3), 1)));
        Assert.Equal(clock.GetUtcNow(), engine.Loop.Status.LastStep);
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    }
}
