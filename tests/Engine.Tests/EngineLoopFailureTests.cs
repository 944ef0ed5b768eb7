using NanoAspire.Engine.Tests.Fakes;
using static NanoAspire.Engine.Tests.Fakes.LoopFixture;

namespace NanoAspire.Engine.Tests;

public sealed class EngineLoopFailureTests
{
    [Fact]
    public async Task A_failed_step_ends_its_own_sequences_and_no_others()
    {
        await using var engine = new LoopFixture(options: new() { MaxSequences = 1 });
        engine.Failure = batch => batch.Tokens.Contains(60) ? new InvalidDataException("bad token") : null;
        var good = engine.Loop.Submit(Greedy([1, 2, 3], 4));
        var bad = engine.Loop.Submit(Greedy([1, 2, 60], 4));
        var later = engine.Loop.Submit(Greedy([4, 5, 6], 1));
        var error = Assert.Single(await All(bad));
        Assert.Equal((FinishReason.Error, null), (error.Finish, error.Token));
        Assert.Contains("bad token", error.Error, StringComparison.Ordinal);
        Assert.Equal(4, (await Tokens(good)).Length);
        Assert.Single(await Tokens(later));
        Assert.True(engine.Loop.Status.Healthy);
        Assert.Equal(0, (await engine.AtRest()).BlocksUsed);
    }

    [Fact]
    public async Task Failures_with_a_success_between_them_do_not_add_up()
    {
        await using var engine = new LoopFixture();
        var broken = true;
        engine.Failure = _ => (broken = !broken) ? null : new InvalidOperationException("every other");
        for (var i = 0; i < 8; i++) await All(engine.Loop.Submit(Greedy([1, 2], 1)));
        Assert.True(engine.Loop.Status.Healthy);
    }

    [Fact]
    public async Task Three_failed_steps_in_a_row_end_everything_and_refuse_what_comes()
    {
        await using var engine = new LoopFixture(options: new() { MaxSequences = 1 });
        engine.Failure = _ => new InvalidOperationException("device lost");
        var held = engine.HoldStep();
        var handles = Enumerable.Range(0, 5).Select(_ => engine.Loop.Submit(Greedy([1, 2, 3], 4))).ToList();
        await held;
        var reserving = engine.Loop.ReserveAsync([1, 2, 3], default).AsTask();
        engine.LetGo();
        foreach (var handle in handles) Assert.Equal(FinishReason.Error, Assert.Single(await All(handle)).Finish);
        Assert.Equal(EngineRejectedException.Unhealthy, (await Assert.ThrowsAsync<EngineRejectedException>(() => reserving)).Code);
        Assert.False(engine.Loop.Status.Healthy);
        Assert.Equal(0, (await engine.AtRest()).BlocksUsed);
        Assert.Equal(EngineRejectedException.Unhealthy, Assert.Throws<EngineRejectedException>(() => engine.Loop.Submit(Greedy([1], 1))).Code);
        Assert.Equal(0, engine.Loop.Status.Steps);
    }

    [Fact]
    public async Task Logits_that_are_not_numbers_end_their_sequence_and_are_not_left_in_the_cache()
    {
        await using var engine = new LoopFixture(blockSize: 4);
        engine.Runner.Spoil = row => row[5] = float.NaN;
        var error = Assert.Single(await All(engine.Loop.Submit(Greedy(Prompt(9), 3))));
        Assert.Equal(FinishReason.Error, error.Finish);
        Assert.Equal((0, 0), (engine.Loop.Status.BlocksUsed, engine.Loop.Status.BlocksCached));
        Assert.True(engine.Loop.Status.Healthy);

        engine.Runner.Spoil = null;
        Assert.Equal(engine.Runner.Generate(Prompt(9), 3, true), await Tokens(engine.Loop.Submit(Greedy(Prompt(9), 3))));
    }

    [Theory, InlineData(1), InlineData(3)]                 // ended in the step that broke, or still in the middle
    public async Task A_defect_of_the_engine_itself_leaves_nobody_waiting(int maxTokens)
    {
        await using var engine = new LoopFixture(time: new BrokenClock());
        var handle = engine.Loop.Submit(Greedy(Prompt(9), maxTokens));
        Assert.Equal(FinishReason.Error, (await All(handle))[^1].Finish);
        Assert.False(engine.Loop.Status.Healthy);
        Assert.Equal(EngineRejectedException.Unhealthy, Assert.Throws<EngineRejectedException>(() => engine.Loop.Submit(Greedy([1], 1))).Code);
        await engine.Loop.DrainedAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Draining_finishes_what_runs_and_refuses_what_comes()
    {
        await using var engine = new LoopFixture();
        var held = engine.HoldStep();
        var handles = Enumerable.Range(0, 3).Select(i => engine.Loop.Submit(Greedy(Prompt(4, start: i), 30))).ToList();
        var parking = engine.Loop.Submit(Greedy(Prompt(6), 3) with { ParkAfterFirstToken = true });
        await held;
        engine.Loop.BeginDrain();
        engine.Loop.BeginDrain();
        var drained = engine.Loop.DrainedAsync(TestContext.Current.CancellationToken);
        Assert.True(engine.Loop.Status.Draining);
        Assert.Equal(EngineRejectedException.Draining, Assert.Throws<EngineRejectedException>(() => engine.Loop.Submit(Greedy([1], 1))).Code);
        engine.LetGo();
        foreach (var handle in handles) Assert.Equal(30, (await Tokens(handle)).Length);
        var parked = (await All(parking))[0].Parked!;
        Assert.False(drained.IsCompleted);                 // somebody still has to fetch the parked blocks
        parked.Release();
        await drained;
        Assert.Equal((0, 0), (engine.Loop.Status.Running, engine.Loop.Status.BlocksUsed));
    }

    [Fact]
    public async Task A_reservation_made_before_the_drain_may_still_be_used()
    {
        await using var engine = new LoopFixture();
        var reservation = await engine.Loop.ReserveAsync(Prompt(6), default);
        engine.Loop.BeginDrain();
        var drained = engine.Loop.DrainedAsync(TestContext.Current.CancellationToken);
        engine.Runner.Memory.Pull(Prompt(6), reservation.Blocks, 0);
        Assert.False(drained.IsCompleted);
        Assert.Equal(4, (await Tokens(engine.Loop.Submit(Greedy(Prompt(6), 4) with { Reservation = reservation, FirstToken = new(1) }))).Length);
        await drained;
    }

    [Fact]
    public async Task Waiting_for_the_drain_can_be_given_up()
    {
        await using var engine = new LoopFixture();
        using var reservation = await engine.Loop.ReserveAsync(Prompt(6), default);
        using var leaving = new CancellationTokenSource();
        var drained = engine.Loop.DrainedAsync(leaving.Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => drained);
    }

    private sealed class BrokenClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => throw new InvalidTimeZoneException("no clock");
    }
}
