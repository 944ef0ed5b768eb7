using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Primitives;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Nodes;

/// <summary>Asks every engine for its health, each at its own pace, and learns the models of engines that came without.</summary>
internal sealed class HealthProber(NodeTable table, EngineClient client, RouterOptions options, TimeProvider time, ILogger<HealthProber> logger)
    : BackgroundService
{
    /// <summary>A model list is short; an endless one is not one.</summary>
    private const int MaxModelListBytes = 1 << 20;

    private readonly Dictionary<Node, (CancellationTokenSource Stop, Task Running)> _probes = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var changed = Next(table.GetChangeToken(), stoppingToken);   // before the look: a change during it is not lost
                await ReconcileAsync(table.Current.Nodes, stoppingToken);
                await changed;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
        finally
        {
            await ReconcileAsync([], CancellationToken.None);
        }
    }

    private async Task ReconcileAsync(IReadOnlyCollection<Node> nodes, CancellationToken ct)
    {
        foreach (var gone in _probes.Keys.Except(nodes).ToArray())
        {
            _probes.Remove(gone, out var probe);
            await probe.Stop.CancelAsync();
            await probe.Running;
            probe.Stop.Dispose();
        }
        foreach (var node in nodes)
        {
            if (_probes.ContainsKey(node)) continue;
            var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
            _probes[node] = (stop, ProbeAsync(node, stop.Token));
        }
    }

    private async Task ProbeAsync(Node node, CancellationToken ct)
    {
        await Task.Yield();
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var problem = await CheckAsync(node, ct);
                var wasDown = !node.TakesWork;
                if (node.Probed(problem is null))
                {
                    if (problem is null) Log.NodeUp(logger, node.Id, node.Url, string.Join(", ", node.Models));
                    else Log.NodeDown(logger, node.Id, node.Url, problem);
                    if (wasDown && node.Engine.Models.Count == 0) table.Refresh();
                }
                await Task.Delay(node.Suspect ? options.Probe.SuspectInterval : options.Probe.Interval, time, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <returns>Null when all is well, else what is not.</returns>
    private async Task<string?> CheckAsync(Node node, CancellationToken ct)
    {
        using var deadline = new Deadline(options.Probe.Timeout, time, ct);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, node.Url + "/health");
            using var health = await client.SendInBackgroundAsync(request, deadline.Token);
            if (!health.IsSuccessStatusCode) return $"status {(int)health.StatusCode}";
            if (node.Engine.Models.Count == 0) return await LearnModelsAsync(node, deadline.Token);
            return null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return deadline.Passed ? "no answer in time" : e.Message;
        }
    }

    private async Task<string?> LearnModelsAsync(Node node, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, node.Url + "/v1/models");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        using var response = await client.SendInBackgroundAsync(request, ct);
        if (!response.IsSuccessStatusCode) return $"status {(int)response.StatusCode} of /v1/models";
        var body = await EngineClient.ReadAsync(response.Content, MaxModelListBytes, ct);
        if (body is null) return "its model list is too long";
        try
        {
            using var list = JsonDocument.Parse(body);
            var cards = list.RootElement.GetProperty("data").EnumerateArray();
            var ids = list.RootElement.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString() ?? "").ToArray();
            if (ids.Length == 0) return "it lists no models";
            if (!node.Models.SequenceEqual(ids, StringComparer.Ordinal))
            {
                node.Learn(ids, cards.SelectMany(CapabilitiesOf).Distinct(StringComparer.Ordinal));
                if (node.TakesWork) table.Refresh();
            }
            return null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return $"its model list is not one: {e.Message}";
        }
    }

    private static IEnumerable<string> CapabilitiesOf(JsonElement card) =>
        card.TryGetProperty("capabilities", out var list) && list.ValueKind is JsonValueKind.Array
            ? list.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String).Select(item => item.GetString()!)
            : [];

    private static async Task Next(IChangeToken token, CancellationToken ct)
    {
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var change = token.RegisterChangeCallback(static state => ((TaskCompletionSource)state!).TrySetResult(), fired);
        await fired.Task.WaitAsync(ct);
    }
}
