using NanoAspire.Engine.Tests.Fakes;
using static NanoAspire.Engine.Tests.Fakes.LoopFixture;

namespace NanoAspire.Engine.Tests;

/// <summary>Parking on the prefill side, reservations on the decode side.</summary>
public sealed class EngineLoopHandoffTests
{
    [Fact]
    public async Task Prefill_stops_after_its_first_token_and_decode_goes_on_as_if_it_had_not()
    {
        await using var prefill = new LoopFixture();
        await using var decode = new LoopFixture(blockSize: 4);
        var request = new GenerationRequest { PromptTokens = Prompt(14), Sampling = new() { Temperature = 0.9f, Seed = 5, MaxTokens = 30, IgnoreEos = true } };
        var first = Assert.Single(await All(prefill.Loop.Submit(request with { ParkAfterFirstToken = true })));
        Assert.Equal((0, null, 14), (first.Index, first.Finish, first.Parked!.TokenCount));
        Assert.Equal(4, first.Parked.Blocks.Count);

        var reservation = await decode.Loop.ReserveAsync(request.PromptTokens, default);
        Assert.Equal((4, 0), (reservation.Blocks.Count, reservation.CachedBlocks));
        decode.Runner.Memory.Pull(prefill.Runner.Memory.Read(first.Parked.Blocks, 14), reservation.Blocks, cachedBlocks: 0);
        first.Parked.Release();
        var handed = await Tokens(decode.Loop.Submit(request with { Reservation = reservation, FirstToken = first.Token }));
        Assert.Equal(await Tokens(prefill.Loop.Submit(request)), handed);
        Assert.Equal(30, handed.Length);
        Assert.DoesNotContain(14, decode.Runner.Steps.SelectMany(step => step));
        Assert.Equal((0, 0), ((await prefill.AtRest()).BlocksUsed, (await decode.AtRest()).BlocksUsed));
    }

    [Fact]
    public async Task A_second_hand_over_of_the_prompt_needs_only_the_block_that_is_not_full()
    {
        await using var decode = new LoopFixture(blockSize: 4);
        foreach (var cached in new[] { 0, 3 })
        {
            var reservation = await decode.Loop.ReserveAsync(Prompt(14), default);
            Assert.Equal(cached, reservation.CachedBlocks);
            decode.Runner.Memory.Pull(Prompt(14), reservation.Blocks, reservation.CachedBlocks);
            var first = decode.Runner.Generate(Prompt(14), 1, true)[0];
            var events = await All(decode.Loop.Submit(Greedy(Prompt(14), 9) with { Reservation = reservation, FirstToken = new(first) }));
            Assert.Equal(decode.Runner.Generate(Prompt(14), 9, true), events.Select(o => o.Token!.Id));
            Assert.Equal(cached * 4, events[0].CachedTokens);
        }
        using var full = await decode.Loop.ReserveAsync(Prompt(12), default);
        Assert.Equal((3, 3), (full.Blocks.Count, full.CachedBlocks));   // nothing is left to compute, so nothing is left to pull
    }

    [Theory]
    [InlineData(1, null, FinishReason.Length)]
    [InlineData(5, 9, FinishReason.Stop)]
    public async Task A_first_token_that_ends_the_sequence_is_its_only_one(int maxTokens, int? stop, FinishReason finish)
    {
        await using var decode = new LoopFixture();
        var reservation = await decode.Loop.ReserveAsync(Prompt(6), default);
        var request = Greedy(Prompt(6), maxTokens);
        var only = Assert.Single(await All(decode.Loop.Submit(request with
        {
            Reservation = reservation,
            FirstToken = new(9, Logprob: -0.5f),
            Sampling = request.Sampling with { StopTokenIds = stop is { } id ? [id] : [] },
        })));
        Assert.Equal((0, finish, -0.5f), (only.Index, only.Finish, only.Token!.Logprob));
        Assert.Equal(0, decode.Loop.Status.Steps);
        Assert.Equal((0, 1), (decode.Loop.Status.BlocksUsed, decode.Loop.Status.BlocksCached));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_first_token_that_ends_the_sequence_parks_only_when_told_to(bool parkWhenFinished)
    {
        await using var prefill = new LoopFixture();
        var only = Assert.Single(await All(prefill.Loop.Submit(Greedy(Prompt(6), 1) with { ParkAfterFirstToken = true, ParkWhenFinished = parkWhenFinished })));
        Assert.Equal((FinishReason.Length, parkWhenFinished), (only.Finish, only.Parked is not null));
        Assert.Equal(parkWhenFinished ? 1 : 0, prefill.Loop.Status.ParkedSequences);
        only.Parked?.Release();
        Assert.Equal(0, (await prefill.AtRest()).BlocksUsed);
    }

    [Fact]
    public async Task A_sequence_parked_at_its_end_keeps_the_blocks_of_its_prompt_only()
    {
        await using var engine = new LoopFixture();
        var last = (await All(engine.Loop.Submit(Greedy(Prompt(6), 20) with { ParkWhenFinished = true })))[^1];
        Assert.Equal((FinishReason.Length, 2, 2), (last.Finish, last.Parked!.Blocks.Count, engine.Loop.Status.BlocksUsed));
        Assert.Equal(Prompt(6), engine.Runner.Memory.Read(last.Parked.Blocks, 6));
        last.Parked.Release();
        last.Parked.Release();
        Assert.Equal(0, (await engine.AtRest()).BlocksUsed);
    }

    [Fact]
    public async Task Choices_of_one_prompt_park_the_same_blocks()
    {
        await using var prefill = new LoopFixture();
        var request = Greedy(Prompt(9), 5) with { ParkAfterFirstToken = true };
        var a = Assert.Single(await All(prefill.Loop.Submit(request))).Parked!;
        var b = Assert.Single(await All(prefill.Loop.Submit(request))).Parked!;
        Assert.Equal(a.Blocks.Take(2), b.Blocks.Take(2));
        Assert.Equal((2, 4), (prefill.Loop.Status.ParkedSequences, prefill.Loop.Status.BlocksParked));
        a.Release();
        b.Release();
        Assert.Equal((0, 2), ((await prefill.AtRest()).BlocksParked, prefill.Loop.Status.BlocksCached));
    }

    [Fact]
    public async Task Reservations_are_granted_in_order_when_blocks_come_back()
    {
        await using var engine = new LoopFixture(blocks: 9);
        var first = await engine.Loop.ReserveAsync(Prompt(20), default);
        var second = engine.Loop.ReserveAsync(Prompt(20, start: 20), default).AsTask();
        var third = engine.Loop.ReserveAsync(Prompt(2, start: 40), default).AsTask();   // would fit, but it is not its turn
        var behind = engine.Loop.Submit(Greedy([1], 1));
        behind.Abort();
        await All(behind);                                 // the engine has looked at all of them
        Assert.False(second.IsCompleted || third.IsCompleted);
        first.Dispose();
        using var granted = await second;
        using var last = await third;
        Assert.Equal(6, engine.Loop.Status.BlocksUsed);
    }

    [Fact]
    public async Task A_handed_over_sequence_that_loses_its_blocks_computes_them_here()
    {
        using var engine = new SteppedEngine(new(blocks: 9, blockSize: 4), new());
        var older = engine.Submit(Greedy(Prompt(10), 20));
        engine.Step();
        var prompt = Prompt(9, start: 30);
        var reserved = engine.Reserve(prompt);
        engine.Step();
        var reservation = await reserved.Granted;
        engine.Runner.Memory.Pull(prompt, reservation.Blocks, reservation.CachedBlocks);
        var expected = engine.Runner.Generate(prompt, 20, true);
        var sequence = engine.Submit(Greedy(prompt, 20) with { Reservation = reservation, FirstToken = new(expected[0]) });
        while (engine.Status.Preemptions == 0) engine.Step();
        Assert.Equal(NanoAspire.Engine.Scheduling.ClaimState.Waiting, sequence.State);
        Assert.Equal(expected, engine.Finish(sequence).Select(o => o.Token!.Id));
        Assert.Equal(20, SteppedEngine.Events(older).Count);
    }

    [Fact]
    public async Task A_reservation_is_for_one_prompt_one_engine_and_one_sequence()
    {
        await using var engine = new LoopFixture();
        await using var other = new LoopFixture();
        var reservation = await engine.Loop.ReserveAsync(Prompt(6), default);
        var request = Greedy(Prompt(6), 3) with { Reservation = reservation, FirstToken = new(1) };
        Assert.Throws<ArgumentException>(() => engine.Loop.Submit(request with { FirstToken = null }));
        Assert.Throws<ArgumentException>(() => engine.Loop.Submit(request with { PromptTokens = Prompt(7) }));
        Assert.Throws<ArgumentException>(() => other.Loop.Submit(request));
        Assert.Throws<ArgumentException>(() => engine.Loop.Submit(request with { Reservation = new KvReservation([1, 2], 0, () => { }) }));
        Assert.Equal(EngineRejectedException.InvalidToken, Assert.Throws<EngineRejectedException>(() => engine.Loop.Submit(request with { FirstToken = new(64) })).Code);
        engine.Runner.Memory.Pull(Prompt(6), reservation.Blocks, 0);
        Assert.Equal(3, (await Tokens(engine.Loop.Submit(request))).Length);
        Assert.Throws<ArgumentException>(() => engine.Loop.Submit(request));
        reservation.Dispose();
        Assert.Equal(0, (await engine.AtRest()).BlocksUsed);
    }
}
