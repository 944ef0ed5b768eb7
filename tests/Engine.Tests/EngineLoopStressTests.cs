using NanoAspire.Engine.Tests.Fakes;
using static NanoAspire.Engine.Tests.Fakes.LoopFixture;

namespace NanoAspire.Engine.Tests;

/// <summary>Many clients at once against the real owner thread: what the stepped stress test proves of the scheduler, this proves of the queues.</summary>
public sealed class EngineLoopStressTests
{
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task Concurrent_clients_get_their_own_tokens_and_leave_nothing_behind(int seed)
    {
        await using var engine = new LoopFixture(blocks: 60, options: new() { MaxSequences = 6, MaxBatchedTokens = 24, MaxWaiting = 64 }, maxPositions: 128);
        await Task.WhenAll(Enumerable.Range(0, 12).Select(client => Task.Run(() => Client(engine, new Random(100 * seed + client), requests: 60))));
        var status = await engine.AtRest();
        Assert.Equal((0, 0, 0, 0), (status.Running, status.Waiting, status.ParkedSequences, status.BlocksUsed));
        Assert.True(status.Healthy);
        Assert.Equal(2, (await Tokens(engine.Loop.Submit(Greedy([1, 2], 2)))).Length);
    }

    private static async Task Client(LoopFixture engine, Random random, int requests)
    {
        for (var i = 0; i < requests; i++)
        {
            var request = new GenerationRequest
            {
                PromptTokens = Prompt(random.Next(1, 40), start: random.Next(3)),
                Sampling = new() { Temperature = random.Next(2), Seed = random.Next(), MaxTokens = random.Next(1, 24) },
            };
            var expected = SteppedEngine.Alone(engine.Runner, request, engine.Loop.MaxLength).Tokens;
            switch (random.Next(5))
            {
                case 0: await Leave(engine, request, expected, random); break;
                case 1: await Park(engine, request, expected); break;
                case 2: await HandOver(engine, request, expected); break;
                case 3: await GiveUp(engine, request, random); break;
                default: Assert.Equal(expected, await Tokens(engine.Loop.Submit(request))); break;
            }
        }
    }

    private static async Task Leave(LoopFixture engine, GenerationRequest request, List<int> expected, Random random)
    {
        var handle = engine.Loop.Submit(request);
        for (var reads = random.Next(4); reads > 0 && await handle.Outputs.WaitToReadAsync(); reads--)
        {
            if (handle.Outputs.TryRead(out var output) && output.Token is { } token) Assert.Equal(expected[output.Index], token.Id);
        }
        handle.Dispose();
    }

    private static async Task Park(LoopFixture engine, GenerationRequest request, List<int> expected)
    {
        using var handle = engine.Loop.Submit(request with { ParkAfterFirstToken = true, ParkWhenFinished = true });
        var only = Assert.Single(await All(handle));
        Assert.Equal(expected[0], only.Token!.Id);
        await Task.Yield();
        Assert.Equal(request.PromptTokens, engine.Runner.Memory.Read(only.Parked!.Blocks, only.Parked.TokenCount));
        only.Parked.Release();
    }

    private static async Task HandOver(LoopFixture engine, GenerationRequest request, List<int> expected)
    {
        using var reservation = await engine.Loop.ReserveAsync(request.PromptTokens, default);
        engine.Runner.Memory.Pull(request.PromptTokens, reservation.Blocks, reservation.CachedBlocks);
        await Task.Yield();
        Assert.Equal(expected, await Tokens(engine.Loop.Submit(request with { Reservation = reservation, FirstToken = new(expected[0]) })));
    }

    private static async Task GiveUp(LoopFixture engine, GenerationRequest request, Random random)
    {
        using var leaving = new CancellationTokenSource();
        var reserving = engine.Loop.ReserveAsync(request.PromptTokens, leaving.Token).AsTask();
        if (random.Next(2) == 0) await leaving.CancelAsync();
        try
        {
            (await reserving).Dispose();
        }
        catch (OperationCanceledException)
        {
            Assert.True(leaving.IsCancellationRequested);
        }
    }
}
