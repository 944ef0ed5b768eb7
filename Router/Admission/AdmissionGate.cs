using System.Collections.Concurrent;
using NanoAspire.Protocol.OpenAI;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Admission;

/// <summary>Lets so many requests of a model in at a time; a bounded number of others waits, by priority and then in order of arrival.</summary>
internal sealed class AdmissionGate(AdmissionOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ModelGate> _gates = new(StringComparer.Ordinal);

    /// <summary>Requests of all models that wait.</summary>
    public int Waiting => _gates.Values.Sum(gate => gate.Waiting);

    /// <param name="model">A model of the node table, so that there are only as many gates as models.</param>
    /// <param name="priority">1, 0 or -1; higher goes first.</param>
    /// <param name="ct">The client's.</param>
    /// <returns>A place, to be disposed when the request has ended, or the error to answer with.</returns>
    public async Task<(IDisposable? Place, ErrorReply? Refusal)> EnterAsync(string model, int priority, CancellationToken ct)
    {
        if (options.MaxInFlight == 0) return (Unlimited.Instance, null);
        var gate = _gates.GetOrAdd(model, _ => new ModelGate(options));
        var (place, waiting) = gate.Enter(priority);
        if (place is not null) return (place, null);
        if (waiting is null) return (null, Full("queue_full", "Too many requests are waiting"));
        try
        {
            return (await waiting.Task.WaitAsync(options.QueueWait, time, ct), null);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // A place given in this very moment is given back.
            if (!gate.Withdraw(waiting)) (await waiting.Task).Dispose();
            if (e is OperationCanceledException) throw;
            return (null, Full("queue_timeout", $"No engine became free within {options.QueueWait.TotalSeconds:0.#} s"));
        }
    }

    private ErrorReply Full(string code, string message) =>
        new(429, OpenAIError.Create(message + ".", "rate_limit_error", code: code), TimeSpan.FromSeconds(Math.Clamp(options.QueueWait.TotalSeconds / 4, 1, 30)));

    private sealed class Unlimited : IDisposable
    {
        public static readonly Unlimited Instance = new();

        public void Dispose()
        {
        }
    }
}
