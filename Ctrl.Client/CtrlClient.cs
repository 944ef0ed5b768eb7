using System.Net.Http.Headers;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;

namespace NanoAspire.Ctrl.Client;

/// <summary>
/// The control plane's routes as methods, for this build's service and for the original ones. Thread-safe; never retries. Every
/// method throws <see cref="CtrlException"/> when the call fails and <see cref="OperationCanceledException"/> when cancelled.
/// </summary>
public sealed partial class CtrlClient
{
    /// <summary>Name of the <see cref="HttpClient"/> it takes from the factory.</summary>
    public const string HttpClientName = "ctrl";

    private readonly IHttpClientFactory _http;
    private readonly CtrlClientOptions _options;
    private readonly TimeProvider _time;
    private readonly string _base;

    public CtrlClient(IHttpClientFactory http, IOptions<CtrlClientOptions> options, TimeProvider time)
    {
        (_http, _options, _time) = (http, options.Value, time);
        _base = _options.BaseUrl;
    }

    /// <summary>Creates or replaces an entity under a lease of 60 s.</summary>
    /// <param name="entity">What to register.</param>
    /// <param name="leaseId">When given, only calls with the same id renew or remove the entity (ignored by original servers).</param>
    /// <param name="ct">Ends the call.</param>
    public Task RegisterAsync(EntityInfo entity, string? leaseId, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(entity);
        var body = new JsonObject { ["entity_type"] = entity.EntityType, ["entity_id"] = entity.EntityId, ["kind"] = entity.Kind };
        if (entity.Endpoint is not null) body["endpoint"] = entity.Endpoint.DeepClone();
        if (entity.Metadata is not null) body["metadata"] = entity.Metadata.DeepClone();
        if (entity.Resource is not null) body["resource"] = entity.Resource.DeepClone();
        if (leaseId is not null) body["lease_id"] = leaseId;
        return PostAsync("register", body, ct);
    }

    /// <returns>False when the entity is not registered (any more): register again.</returns>
    public async Task<bool> HeartbeatAsync(string entityType, string entityId, string? leaseId, CancellationToken ct)
    {
        var body = new JsonObject { ["entity_type"] = entityType, ["entity_id"] = entityId };
        if (leaseId is not null) body["lease_id"] = leaseId;
        var reply = await PostAsync("heartbeat", body, ct);
        return EntityInfo.Text(reply, "status") == "ok";
    }

    public Task UnregisterAsync(string entityType, string entityId, string? leaseId, CancellationToken ct)
    {
        var body = new JsonObject { ["entity_type"] = entityType, ["entity_id"] = entityId };
        if (leaseId is not null) body["lease_id"] = leaseId;
        return PostAsync("unregister", body, ct);
    }

    public async Task<EntityInfo?> FindAsync(string entityType, string entityId, CancellationToken ct)
    {
        var reply = await PostAsync("get_entity_info", new JsonObject { ["entity_type"] = entityType, ["entity_id"] = entityId }, ct);
        return reply.TryGetProperty("entity_info", out var info) ? EntityInfo.TryRead(info) : null;
    }

    /// <summary>Live entities of this scope. An answer that is not a list is an error, never an empty list.</summary>
    public async Task<IReadOnlyList<EntityInfo>> ListAsync(string entityType, string? kind, CancellationToken ct)
    {
        var body = new JsonObject { ["entity_type"] = entityType };
        if (kind is not null) body["kind"] = kind;
        var entities = Array(await PostAsync("list_entities", body, ct), "entities");
        return [.. entities.Select(EntityInfo.TryRead).OfType<EntityInfo>()];
    }

    /// <summary>Info objects of engines registered through the first-generation API.</summary>
    public async Task<IReadOnlyList<JsonElement>> ListEnginesAsync(CancellationToken ct) => Array(await PostAsync("list_engines", [], ct), "engines");

    private static JsonElement[] Array(JsonElement reply, string name) =>
        reply.ValueKind == JsonValueKind.Object && reply.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray()]
            : throw new CtrlException($"The control plane's reply has no {name}", status: 200);

    private async Task<JsonElement> PostAsync(string path, JsonObject body, CancellationToken ct)
    {
        if (!string.IsNullOrEmpty(_options.Scope)) body["scope"] = _options.Scope;
        using var request = Request(HttpMethod.Post, path);
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString())) { Headers = { ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json) } };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var timer = new CancellationTokenSource(_options.CallTimeout, _time);
        using var hurry = timer.Token.Register(limit.Cancel);
        try
        {
            using var response = await _http.CreateClient(HttpClientName).SendAsync(request, limit.Token);
            var text = await response.Content.ReadAsByteArrayAsync(limit.Token);
            if (!response.IsSuccessStatusCode) throw new CtrlException(Explain(path, (int)response.StatusCode, text), (int)response.StatusCode);
            return JsonElement.Parse(text);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested) { throw new CtrlException($"/{path}: no answer within {_options.CallTimeout.TotalSeconds} s", status: null, e); }
        catch (HttpRequestException e) { throw new CtrlException($"/{path}: {e.Message}", status: null, e); }
        catch (IOException e) { throw new CtrlException($"/{path}: {e.Message}", status: null, e); }
        catch (JsonException e) { throw new CtrlException($"/{path}: the reply is not JSON", status: 200, e); }
    }

    private HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, $"{_base}/{path}");
        if (!string.IsNullOrEmpty(_options.Token)) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _options.Token);
        return request;
    }

    private static string Explain(string path, int status, byte[] body)
    {
        try
        {
            var reply = JsonElement.Parse(body);
            if (reply.ValueKind == JsonValueKind.Object && EntityInfo.Text(reply, "message") is { } message) return $"/{path}: {status} {message}";
        }
        catch (JsonException) { }                                            // an error page of something in between
        return $"/{path}: {status}";
    }
}
