using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Scheduling;
using NanoAspire.Engine.Speculation;

namespace NanoAspire.Engine.Kernels.Tests.Speculation;

/// <summary>The engine over a loaded model without its thread: all requests are in line before the first step.</summary>
internal sealed class LoadedEngine
{
    private readonly Queue<Action> _posted = new();
    private readonly IModelRunner _runner;
    private readonly EngineCore _core;
    private long _lastId;

    /// <param name="runner">Stays the caller's.</param>
    /// <param name="options">Validated by nobody.</param>
    /// <param name="drafts">Of the model's own module in a step; 0: nobody guesses.</param>
    public LoadedEngine(IModelRunner runner, EngineOptions options, int drafts = 0)
    {
        _runner = runner;
        var drafter = drafts == 0 ? null : new MtpDrafter(runner.Drafts!, runner.Model.VocabSize, runner.KvMemory.Layout.BlockSize, drafts);
        _core = new(runner, options, TimeProvider.System, NullLogger.Instance, () => { }, _posted.Enqueue, drafter);
    }

    public EngineStatus Status => _core.Status;

    public List<GenerationOutput>[] Run(params IEnumerable<GenerationRequest> requests)
    {
        var sequences = requests.Select(Submit).ToArray();
        for (var steps = 0; Step(); steps++) Assert.True(steps < 10_000, "the engine never comes to rest");
        return [.. sequences.Select(Events)];
    }

    public KvReservation Reserve(GenerationRequest request)
    {
        var reservation = new Reservation([.. request.PromptTokens], new(_core.Pool), []);
        _core.Add(reservation);
        Step();
        Assert.True(reservation.Granted.IsCompletedSuccessfully);
        return reservation.Granted.Result;
    }

    private Scheduling.Sequence Submit(GenerationRequest request)
    {
        var claim = request.Reservation?.Claim;
        Assert.True(request.Reservation?.Take() ?? true);
        var limit = Math.Min(_runner.Model.MaxPositions, request.PromptTokens.Count + request.Sampling.MaxTokens!.Value);
        var sequence = new Scheduling.Sequence(++_lastId, request, [.. request.PromptTokens], claim?.Table ?? new(_core.Pool), limit, [.. request.Sampling.StopTokenIds], 0) { Reservation = claim };
        _core.Add(sequence);
        _core.Flush();
        return sequence;
    }

    private bool Step()
    {
        while (_posted.TryDequeue(out var action)) action();
        return _core.Step();
    }

    private static List<GenerationOutput> Events(Scheduling.Sequence sequence)
    {
        var events = new List<GenerationOutput>();
        while (sequence.Outputs.TryRead(out var output)) events.Add(output);
        Assert.True(sequence.Outputs.Completion.IsCompleted);
        Assert.DoesNotContain(events, output => output.Error is not null);
        return events;
    }
}
