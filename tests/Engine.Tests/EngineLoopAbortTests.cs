using NanoAspire.Engine.Tests.Fakes;
using static NanoAspire.Engine.Tests.Fakes.LoopFixture;

namespace NanoAspire.Engine.Tests;

/// <summary>A client that leaves: in whatever state its request is, everything is back within one step.</summary>
public sealed class EngineLoopAbortTests
{
    [Fact]
    public async Task Running()
    {
        await using var engine = new LoopFixture();
        var held = engine.HoldStep(2);
        var handle = engine.Loop.Submit(Greedy(Prompt(9), null));
        await held;
        handle.Dispose();
        handle.Abort();
        engine.LetGo();
        var events = await All(handle);
        Assert.Equal([null, null, null, FinishReason.Abort], events.Select(o => o.Finish));
        Assert.Equal(3, events[^1].Index);
        AssertFree(engine.Loop.Status);
    }

    [Fact]
    public async Task Waiting_while_another_runs()
    {
        await using var engine = new LoopFixture(options: new() { MaxSequences = 1 });
        var held = engine.HoldStep(1);
        using var other = engine.Loop.Submit(Greedy(Prompt(9), null));
        var handle = engine.Loop.Submit(Greedy(Prompt(3), 5));
        await held;
        handle.Abort();
        engine.LetGo();
        var only = Assert.Single(await All(handle));
        Assert.Equal((FinishReason.Abort, null), (only.Finish, only.Token));
        Assert.Equal(0, engine.Loop.Status.Waiting);
    }

    [Fact]
    public async Task Between_two_chunks_of_the_prompt()
    {
        await using var engine = new LoopFixture(options: new() { MaxBatchedTokens = 8, MaxSequences = 4 });
        var held = engine.HoldStep();
        var handle = engine.Loop.Submit(Greedy(Prompt(40), 5));
        await held;
        handle.Abort();
        engine.LetGo();
        Assert.Equal(FinishReason.Abort, Assert.Single(await All(handle)).Finish);
        AssertFree(engine.Loop.Status);
        Assert.Equal(1, engine.Loop.Status.Steps);          // the one that was under way
        Assert.Equal(2, engine.Loop.Status.BlocksCached);   // what it computed is worth keeping
    }

    [Fact]
    public async Task Before_the_engine_has_seen_it()
    {
        await using var engine = new LoopFixture();
        var held = engine.HoldStep();
        using var other = engine.Loop.Submit(Greedy(Prompt(5), 1));
        await held;
        var handle = engine.Loop.Submit(Greedy(Prompt(3), 5));
        handle.Abort();
        engine.LetGo();
        Assert.Equal(FinishReason.Abort, Assert.Single(await All(handle)).Finish);
        AssertFree(await engine.AtRest());
    }

    [Fact]
    public async Task Finished()
    {
        await using var engine = new LoopFixture();
        var handle = engine.Loop.Submit(Greedy(Prompt(3), 2));
        await engine.AtRest();
        handle.Abort();
        await engine.AtRest();
        Assert.Equal([null, FinishReason.Length], (await All(handle)).Select(o => o.Finish));
    }

    [Fact]
    public async Task Parked_but_nobody_took_the_blocks_over()
    {
        await using var engine = new LoopFixture();
        var handle = engine.Loop.Submit(Greedy(Prompt(9), 5) with { ParkAfterFirstToken = true });
        await handle.Outputs.WaitToReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal((1, 3, 3), (engine.Loop.Status.ParkedSequences, engine.Loop.Status.BlocksParked, engine.Loop.Status.BlocksUsed));
        handle.Dispose();
        AssertFree(await engine.AtRest());
    }

    [Fact]
    public async Task Parked_and_taken_over_stays()
    {
        await using var engine = new LoopFixture();
        var handle = engine.Loop.Submit(Greedy(Prompt(9), 5) with { ParkAfterFirstToken = true });
        var parked = Assert.Single(await All(handle)).Parked!;
        handle.Dispose();
        await Tokens(engine.Loop.Submit(Greedy(Prompt(40, start: 3), 60)));
        Assert.Equal(1, engine.Loop.Status.ParkedSequences);
        Assert.Equal(Prompt(9), engine.Runner.Memory.Read(parked.Blocks, 9));
        parked.Release();
        AssertFree(await engine.AtRest());
    }

    [Fact]
    public async Task Waiting_for_a_reservation()
    {
        await using var engine = new LoopFixture(blocks: 5);
        using var first = await engine.Loop.ReserveAsync(Prompt(15), default);
        using var leaving = new CancellationTokenSource();
        var second = engine.Loop.ReserveAsync(Prompt(15, start: 20), leaving.Token).AsTask();
        Assert.False(second.IsCompleted);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();
        AssertFree(await engine.AtRest());
    }

    [Fact]
    public async Task While_the_pull_is_under_way()
    {
        await using var engine = new LoopFixture();
        var reservation = await engine.Loop.ReserveAsync(Prompt(9), default);
        Assert.Equal(3, engine.Loop.Status.BlocksUsed);
        reservation.Dispose();
        reservation.Dispose();
        AssertFree(await engine.AtRest());
    }

    [Fact]
    public async Task Handed_over_but_not_seen_yet()
    {
        await using var engine = new LoopFixture();
        var reservation = await engine.Loop.ReserveAsync(Prompt(9), default);
        var held = engine.HoldStep();
        using var other = engine.Loop.Submit(Greedy(Prompt(5), 1));
        await held;
        var handle = engine.Loop.Submit(Greedy(Prompt(9), 5) with { Reservation = reservation, FirstToken = new(7) });
        handle.Abort();
        engine.LetGo();
        Assert.Equal(FinishReason.Abort, Assert.Single(await All(handle)).Finish);
        AssertFree(await engine.AtRest());
    }

    [Fact]
    public async Task The_engine_stops()
    {
        await using var engine = new LoopFixture(blocks: 8, options: new() { MaxSequences = 2 });
        using var reservation = await engine.Loop.ReserveAsync(Prompt(3), default);
        var held = engine.HoldStep(1);
        var running = engine.Loop.Submit(Greedy(Prompt(9), null));
        var waiting = engine.Loop.Submit(Greedy(Prompt(9), null));
        var reserving = engine.Loop.ReserveAsync(Prompt(3), default).AsTask();
        await held;
        var stopping = engine.Loop.DisposeAsync().AsTask();
        engine.LetGo();
        await stopping;
        Assert.Equal(FinishReason.Abort, (await All(running))[^1].Finish);
        Assert.Equal(FinishReason.Abort, (await All(waiting))[^1].Finish);
        await Assert.ThrowsAsync<EngineRejectedException>(() => reserving);
        Assert.Throws<ObjectDisposedException>(() => engine.Loop.Submit(Greedy(Prompt(3), 1)));
        await engine.Loop.DrainedAsync(default);
    }

    private static void AssertFree(EngineStatus status)
    {
        Assert.Equal((0, 0, 0, 0), (status.Running, status.Waiting, status.ParkedSequences, status.BlocksUsed));
        Assert.Equal(status.BlocksTotal, status.BlocksFree);
    }
}
