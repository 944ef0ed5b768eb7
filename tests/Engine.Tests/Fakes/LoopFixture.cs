using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Tests.Fakes;

/// <summary>An engine loop over the fake model, with a gate that holds its thread inside a step.</summary>
internal sealed class LoopFixture : IAsyncDisposable
{
    private readonly ManualResetEventSlim _gate = new(true);
    private readonly SemaphoreSlim _entered = new(0);
    private volatile int _heldStep = -1;

    public LoopFixture(int blocks = 64, int blockSize = 4, EngineOptions? options = null, int maxPositions = 4096, TimeProvider? time = null)
    {
        Runner = new(blocks, blockSize, maxPositions: maxPositions) { BeforeRun = Wait };
        Loop = new(Runner, options ?? new(), time ?? TimeProvider.System, NullLogger<EngineLoop>.Instance);
    }

    public FakeRunner Runner { get; }
    public EngineLoop Loop { get; }
    /// <summary>Thrown by the next steps.</summary>
    public Func<StepBatch, Exception?> Failure { get; set; } = _ => null;

    /// <summary>Step number <paramref name="step"/> stops before the model runs; the task completes when it is there. Call before submitting.</summary>
    public Task HoldStep(int step = 0)
    {
        _gate.Reset();
        _heldStep = step;
        return _entered.WaitAsync(TestContext.Current.CancellationToken);
    }

    public void LetGo()
    {
        _heldStep = -1;
        _gate.Set();
    }

    public static GenerationRequest Greedy(IReadOnlyList<int> prompt, int? maxTokens) =>
        new() { PromptTokens = prompt, Sampling = new() { Temperature = 0, MaxTokens = maxTokens, IgnoreEos = true } };

    public static int[] Prompt(int length, int start = 0) => [.. Enumerable.Range(start, length).Select(i => 1 + i * 11 % 63)];

    public static async Task<List<GenerationOutput>> All(GenerationHandle handle)
    {
        var events = new List<GenerationOutput>();
        await foreach (var output in handle.Outputs.ReadAllAsync(TestContext.Current.CancellationToken)) events.Add(output);
        return events;
    }

    public static async Task<int[]> Tokens(GenerationHandle handle) => [.. (await All(handle)).Where(o => o.Token is not null).Select(o => o.Token!.Id)];

    /// <summary>The state once the engine has done everything that was asked of it.</summary>
    public async Task<EngineStatus> AtRest()
    {
        await Loop.DrainedAsync(TestContext.Current.CancellationToken);
        return Loop.Status;
    }

    public async ValueTask DisposeAsync()
    {
        LetGo();
        await Loop.DisposeAsync();
        Runner.Dispose();
        _gate.Dispose();
        _entered.Dispose();
    }

    private void Wait(StepBatch batch)
    {
        if (Runner.Steps.Count == _heldStep)
        {
            _entered.Release();
            _gate.Wait();
        }
        if (Failure(batch) is { } failure) throw failure;
    }
}
