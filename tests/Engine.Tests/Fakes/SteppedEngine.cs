using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine.Sampling;
using NanoAspire.Engine.Scheduling;
using NanoAspire.Engine.Speculation;

namespace NanoAspire.Engine.Tests.Fakes;

/// <summary>The engine without its thread: the test takes each step itself, and every invariant is checked after it.</summary>
internal sealed class SteppedEngine : IDisposable
{
    private readonly Queue<Action> _posted = new();
    private long _lastId;

    public SteppedEngine(FakeRunner runner, EngineOptions options, IDrafter? drafter = null)
    {
        (Runner, Options) = (runner, options);
        Core = new(runner, options, TimeProvider.System, NullLogger.Instance, () => Ended++, _posted.Enqueue, drafter);
    }

    public FakeRunner Runner { get; }
    public EngineOptions Options { get; }
    public EngineCore Core { get; }
    public EngineStatus Status => Core.Status;
    public int Ended { get; private set; }

    public Sequence Submit(GenerationRequest request)
    {
        var reservation = request.Reservation?.Claim;
        Assert.True(request.Reservation?.Take() ?? true);
        var limit = Math.Min(Runner.Model.MaxPositions, Core.Pool.Total * Core.Pool.BlockSize + 1);
        limit = (int)Math.Min(limit, request.PromptTokens.Count + (long)(request.Sampling.MaxTokens ?? int.MaxValue));
        int[] stopIds = [.. request.Sampling.IgnoreEos && request.Constraint is null ? [] : new[] { FakeRunner.Eos }, .. request.Sampling.StopTokenIds];
        var sequence = new Sequence(++_lastId, request, [.. request.PromptTokens], reservation?.Table ?? new(Core.Pool), limit, stopIds, 0) { Reservation = reservation };
        Core.Add(sequence);
        Core.Flush();
        return sequence;
    }

    public Reservation Reserve(IEnumerable<int> prompt)
    {
        var reservation = new Reservation([.. prompt], new(Core.Pool), []);
        Core.Add(reservation);
        return reservation;
    }

    public void Abort(Sequence sequence)
    {
        if (sequence.RequestAbort()) _posted.Enqueue(() => Core.Abort(sequence));
    }

    /// <summary>What the loop does between two looks at its queues.</summary>
    public bool Step()
    {
        while (_posted.TryDequeue(out var action)) action();
        var busy = Core.Step();
        Core.Scheduler.Validate();
        return busy;
    }

    public void RunUntilIdle()
    {
        for (var steps = 0; Step(); steps++) Assert.True(steps < 100_000, "the engine never comes to rest");
    }

    /// <summary>Steps until nothing moves and takes the events of a sequence, which must have ended.</summary>
    public List<GenerationOutput> Finish(Sequence sequence)
    {
        RunUntilIdle();
        var events = Events(sequence);
        Assert.True(sequence.Outputs.Completion.IsCompleted);
        return events;
    }

    public static List<GenerationOutput> Events(Sequence sequence)
    {
        var events = new List<GenerationOutput>();
        while (sequence.Outputs.TryRead(out var output)) events.Add(output);
        return events;
    }

    /// <summary>What the request gives alone, by definition: no memory, no batch, no cache.</summary>
    public static (List<int> Tokens, FinishReason Finish) Alone(FakeRunner runner, GenerationRequest request, int lengthLimit = int.MaxValue)
    {
        var p = request.Sampling;
        var sampler = new Sampler(runner.Model.VocabSize);
        var tokens = request.PromptTokens.ToList();
        int[] stopIds = [.. p.IgnoreEos ? [] : new[] { FakeRunner.Eos }, .. p.StopTokenIds];
        while (true)
        {
            var token = sampler.Sample(runner.LogitsAfter(tokens), new()
            {
                Params = p,
                Tokens = tokens.ToArray(),
                PromptLength = request.PromptTokens.Count,
                StopIds = stopIds,
                Key = (ulong)(p.Seed ?? 0),
            });
            tokens.Add(token!.Id);
            var output = tokens.Count - request.PromptTokens.Count;
            if (stopIds.Contains(token.Id)) return (tokens[request.PromptTokens.Count..], FinishReason.Stop);
            if (output == p.MaxTokens || tokens.Count == lengthLimit) return (tokens[request.PromptTokens.Count..], FinishReason.Length);
        }
    }

    public void Dispose() => Runner.Dispose();
}
