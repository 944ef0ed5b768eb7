using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Protocol.OpenAI;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Nodes;

/// <summary><c>/nodes</c>: what operators and self-registering servers see and change of the table.</summary>
internal sealed class NodeEndpoints(NodeTable table, ManualNodeSource manual, EngineClient client, RouterOptions options, TimeProvider time, ILogger<NodeEndpoints> logger)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    public static void Map(IEndpointRouteBuilder nodes)
    {
        nodes.MapGet("/status", static (NodeEndpoints endpoints) => endpoints.Status());
        nodes.MapPost("/add", static (HttpContext http, NodeEndpoints endpoints) => endpoints.AddAsync(http));
        nodes.MapPost("/remove", static (HttpContext http, NodeEndpoints endpoints) => endpoints.RemoveAsync(http));
        nodes.MapPost("/terminate", static (HttpContext http, NodeEndpoints endpoints) => endpoints.TerminateAsync(http));
        nodes.MapPost("/terminate_all", static (HttpContext http, NodeEndpoints endpoints) => endpoints.TerminateAllAsync(http));
        nodes.MapPatch("/{**id}", static (string id, HttpContext http, NodeEndpoints endpoints) => endpoints.PatchAsync(id, http));
    }

    private IResult Status()
    {
        var status = new JsonObject();
        foreach (var node in table.Current.Nodes)
        {
            status[node.Url] = new JsonObject
            {
                ["id"] = node.Id,
                ["role"] = node.Role.ToString().ToLowerInvariant(),
                ["models"] = new JsonArray([.. node.Models.Select(model => (JsonNode)model)]),
                ["state"] = node.State.ToString().ToLowerInvariant(),
                ["breaker"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(node.Breaker.State.ToString()),
                ["failures"] = node.Breaker.Failures,
                ["unfinished"] = node.InFlight,
                ["pending_prompt_bytes"] = node.PendingPromptBytes,
                ["prompt_bytes_per_second"] = node.Speed.BytesPerSecond,
            };
        }
        return Results.Text(status.ToJsonString(), "application/json");
    }

    /// <summary><c>{"url", "status"?: {"role"?, "models"?}}</c>; the role as a word or as 1 hybrid, 2 prefill, 3 decode, 4 encoder.</summary>
    private async Task<IResult> AddAsync(HttpContext http)
    {
        var (body, url) = await ReadAsync(http);
        if (url is null) return Problem(400, "'url' must be an absolute http or https URL", "url");
        var status = body!["status"] as JsonObject ?? body;
        if (!NodeRoles.TryParse(status["role"], out var role)) return Problem(400, "'role' must be hybrid, prefill, decode, encoder, or 1, 2, 3, 4", "role");
        string[] models = status["models"] is JsonArray list ? [.. list.OfType<JsonValue>().Select(model => model.ToString())] : [];
        if (table.Current.Find(url) is not null) return Problem(409, $"{url} is known already", "url");
        if (await CallAsync(HttpMethod.Get, url + "/health", http.RequestAborted) is { } problem) return Problem(502, $"{url} does not answer: {problem}", "url");
        if (!manual.Add(new EngineDescriptor { Id = url, Url = url, Role = role, Models = models })) return Problem(409, $"{url} is known already", "url");
        Log.NodeManaged(logger, url, "added", http.Connection.RemoteIpAddress?.ToString());
        return Message("Added successfully.");
    }

    private async Task<IResult> RemoveAsync(HttpContext http)
    {
        var (_, url) = await ReadAsync(http);
        if (url is null) return Problem(400, "'url' must be an absolute http or https URL", "url");
        if (!manual.Remove(url))
            return table.Current.Find(url) is null ? Unknown(url) : Problem(409, $"{url} was not added by hand: it leaves when it leaves the registry", "url");
        Log.NodeManaged(logger, url, "removed", http.Connection.RemoteIpAddress?.ToString());
        return Message("Removed successfully.");
    }

    private async Task<IResult> TerminateAsync(HttpContext http)
    {
        var (_, url) = await ReadAsync(http);
        if (url is null) return Problem(400, "'url' must be an absolute http or https URL", "url");
        if (table.Current.Find(url) is not { } node) return Unknown(url);
        if (await CallAsync(HttpMethod.Get, node.Url + "/terminate", http.RequestAborted) is { } problem) return Problem(502, $"{url} did not terminate: {problem}", "url");
        Log.NodeManaged(logger, url, "terminated", http.Connection.RemoteIpAddress?.ToString());
        return Message("Terminated successfully.");
    }

    private async Task<IResult> TerminateAllAsync(HttpContext http)
    {
        var nodes = table.Current.Nodes;
        var problems = await Task.WhenAll(nodes.Select(node => CallAsync(HttpMethod.Get, node.Url + "/terminate", http.RequestAborted)));
        Log.NodeManaged(logger, "all", "terminated", http.Connection.RemoteIpAddress?.ToString());
        var failed = nodes.Zip(problems).Where(pair => pair.Second is not null).Select(pair => pair.First.Url).ToArray();
        return failed.Length == 0 ? Message("All nodes terminated.") : Problem(502, $"did not terminate: {string.Join(", ", failed)}", null);
    }

    /// <summary><c>{"draining": true|false}</c>: running requests finish, new ones go elsewhere.</summary>
    private async Task<IResult> PatchAsync(string id, HttpContext http)
    {
        var (body, _) = await ReadAsync(http);
        if (body?["draining"] is not JsonValue value || !value.TryGetValue<bool>(out var draining)) return Problem(400, "'draining' must be true or false", "draining");
        if (table.Current.Find(id) is not { } node) return Unknown(id);
        node.Drained = draining;
        Log.NodeManaged(logger, node.Id, draining ? "draining" : "no longer draining", http.Connection.RemoteIpAddress?.ToString());
        return Message(draining ? "Draining." : "Taking work.");
    }

    private async Task<(JsonObject? Body, string? Url)> ReadAsync(HttpContext http)
    {
        if (await Api.BodyReader.ReadAsync(http.Request, Math.Min(options.MaxBodyBytes, 1 << 20), http.RequestAborted) is not { } bytes) return default;
        JsonObject? body;
        try { body = JsonNode.Parse(bytes.Span) as JsonObject; }
        catch (JsonException) { return default; }
        var url = body?["url"] is JsonValue value && value.TryGetValue<string>(out var text) ? NodeUrls.Normalize(text) : null;
        return (body, url);
    }

    private async Task<string?> CallAsync(HttpMethod method, string url, CancellationToken ct)
    {
        using var deadline = new Deadline(CallTimeout, time, ct);
        try
        {
            using var request = new HttpRequestMessage(method, url);
            using var response = await client.SendAsync(request, deadline.Token);
            return response.IsSuccessStatusCode ? null : $"status {(int)response.StatusCode}";
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return deadline.Passed ? "no answer in time" : e.Message;
        }
    }

    private static IResult Message(string text) => Results.Text(new JsonObject { ["message"] = text }.ToJsonString(), "application/json");

    private static IResult Unknown(string node) => Problem(404, $"there is no node {node}", null);

    private static IResult Problem(int status, string message, string? param) =>
        Results.Json(OpenAIError.Create(message, status is 502 ? "upstream_error" : "invalid_request_error", param), OpenAIJson.Relaxed.OpenAIError, statusCode: status);
}
