using System.Collections.Immutable;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Leases;

/// <summary>Sequences to be freed on one engine. Runs while there are any: one call at a time, taking along what has gathered meanwhile.</summary>
internal sealed class ReleaseQueue(
    Node node, EngineClient client, Func<Node, bool> isCurrent, Action<Node, ReleaseQueue> retire, TimeProvider time, ILogger logger, CancellationToken stopping)
{
    private const int Capacity = 1 << 16;
    private const int MostPerCall = 1024;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)];

    private readonly Lock _lock = new();
    private readonly Queue<long> _waiting = new();
    private int _calling;
    private bool _running;
    private bool _retired;

    public Task Completion { get; private set; } = Task.CompletedTask;

    public int Pending { get { lock (_lock) return _waiting.Count + _calling; } }

    /// <returns>False when the queue has retired; a new one must be made.</returns>
    public bool TryAdd(ImmutableArray<long> sequences)
    {
        lock (_lock)
        {
            if (_retired) return false;
            foreach (var sequence in sequences)
            {
                if (_waiting.Count >= Capacity)
                {
                    Telemetry.LeaseReleases.Add(1, new KeyValuePair<string, object?>("result", "dropped"));
                    continue;
                }
                _waiting.Enqueue(sequence);
            }
            if (_running) return true;
            _running = true;
            Completion = Task.Run(RunAsync, CancellationToken.None);
            return true;
        }
    }

    private async Task RunAsync()
    {
        try
        {
            while (Next() is { Length: > 0 } batch)
            {
                var freed = await FreeAsync(batch);
                Telemetry.LeaseReleases.Add(batch.Length, new KeyValuePair<string, object?>("result", freed ? "freed" : "failed"));
                lock (_lock) _calling = 0;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The engines' own lease time takes over.
        }
        retire(node, this);
    }

    private long[] Next()
    {
        lock (_lock)
        {
            _calling = Math.Min(_waiting.Count, MostPerCall);
            if (_calling == 0) _retired = true;
            var batch = new long[_calling];
            for (var i = 0; i < batch.Length; i++) batch[i] = _waiting.Dequeue();
            return batch;
        }
    }

    private async Task<bool> FreeAsync(long[] sequences)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (!isCurrent(node)) return true;   // that run of the engine is over, and its memory with it
            var problem = await CallAsync(sequences);
            if (problem is null) return true;
            if (attempt == Pauses.Length)
            {
                Log.ReleaseFailed(logger, node.Id, sequences.Length, problem);
                return false;
            }
            await Task.Delay(Pauses[attempt], time, stopping);
        }
    }

    private async Task<string?> CallAsync(long[] sequences)
    {
        var (path, member) = node.Role is EngineRole.Encoder ? ("/vision/free", "slot_ids") : ("/pd/free", "seq_ids");
        var body = new StringBuilder("{\"").Append(member).Append("\":[").AppendJoin(',', sequences.Select(id => id.ToString(CultureInfo.InvariantCulture))).Append("]}").ToString();
        using var request = new HttpRequestMessage(HttpMethod.Post, node.Url + path) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var deadline = new Deadline(CallTimeout, time, stopping);
        try
        {
            using var response = await client.SendInBackgroundAsync(request, deadline.Token);
            return response.IsSuccessStatusCode ? null : $"status {(int)response.StatusCode}";
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && deadline.Passed))
        {
            return deadline.Passed ? "no answer in time" : e.Message;
        }
    }
}
