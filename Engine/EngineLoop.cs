using Microsoft.Extensions.Logging;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine;

/// <summary>Continuous batching over one model: one owner thread, bounded queues, paged KV blocks with prefix caching.</summary>
public sealed class EngineLoop(IModelRunner runner, EngineOptions options, TimeProvider time, ILogger<EngineLoop> logger) : IAsyncDisposable
{
    /// <summary>A snapshot, cheap to read from any thread.</summary>
    public EngineStatus Status => throw new NotImplementedException($"{runner}{options}{time}{logger}");

    /// <summary>Queues a sequence. Thread-safe.</summary>
    /// <exception cref="EngineRejectedException">The queue is full, the prompt can never fit, an id is out of the vocabulary, or the engine drains.</exception>
    public GenerationHandle Submit(GenerationRequest request) => throw new NotImplementedException();

    /// <summary>Sets blocks aside for a prompt whose KV will be pulled; waits in order while none are free.</summary>
    /// <exception cref="EngineRejectedException">As <see cref="Submit"/>.</exception>
    public ValueTask<KvReservation> ReserveAsync(IReadOnlyList<int> promptTokens, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Refuses new work; what runs goes on.</summary>
    public void BeginDrain() => throw new NotImplementedException();

    /// <summary>Completes when nothing runs, waits or is parked.</summary>
    public Task DrainedAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Aborts what is left and stops the owner thread.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>Figures of the loop at one moment; counters only grow.</summary>
public sealed record EngineStatus
{
    public int Running { get; init; }
    public int Waiting { get; init; }
    public int BlocksTotal { get; init; }
    public int BlocksUsed { get; init; }
    public int BlocksFree { get; init; }
    /// <summary>Free blocks whose content can still be hit.</summary>
    public int BlocksCached { get; init; }
    public int BlocksParked { get; init; }
    public int ParkedSequences { get; init; }
    public long Preemptions { get; init; }
    public long PromptTokens { get; init; }
    public long GeneratedTokens { get; init; }
    public long PrefixHitTokens { get; init; }
    public long Steps { get; init; }
    /// <summary>Time of the last finished step.</summary>
    public DateTimeOffset? LastStep { get; init; }
    public bool Healthy { get; init; } = true;
    public bool Draining { get; init; }
}
