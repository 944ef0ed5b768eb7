using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>A control plane of the entity API, without push: routers poll it.</summary>
internal sealed class FakeCtrl : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, JsonObject> _entities = new(StringComparer.Ordinal);

    private FakeCtrl(WebApplication app) => _app = app;

    public string Url { get; private set; } = "";
    /// <summary>Answers 500 to everything while set.</summary>
    public volatile bool Broken;
    /// <summary>Lists given out so far, good ones only.</summary>
    public int Lists;
    /// <summary>Calls refused so far.</summary>
    public int Refused;

    public static async Task<FakeCtrl> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var ctrl = new FakeCtrl(app);
        app.MapPost("/list_entities", ctrl.List);
        await app.StartAsync();
        ctrl.Url = app.Urls.Single();
        return ctrl;
    }

    public void Register(ScriptedEngine engine, string role, string? id = null, JsonObject? metadata = null)
    {
        var url = new Uri(engine.Url);
        metadata ??= new JsonObject { ["served_model_name"] = "m1", ["model_path"] = "/models/m1/" };
        metadata["role"] = role;
        _entities[id ?? engine.Id] = new JsonObject
        {
            ["entity_type"] = "service",
            ["entity_id"] = id ?? engine.Id,
            ["id"] = id ?? engine.Id,
            ["kind"] = "dlengine",
            ["endpoint"] = new JsonObject { ["host"] = url.Host, ["port"] = url.Port, ["protocol"] = "http" },
            ["metadata"] = metadata,
        };
    }

    public void Unregister(string id) => _entities.TryRemove(id, out _);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private IResult List()
    {
        if (Broken)
        {
            Interlocked.Increment(ref Refused);
            return Results.StatusCode(500);
        }
        Interlocked.Increment(ref Lists);
        var list = new JsonObject { ["status"] = "ok", ["entities"] = new JsonArray([.. _entities.Values.Select(entity => entity.DeepClone())]) };
        return Results.Text(list.ToJsonString(), "application/json");
    }
}
