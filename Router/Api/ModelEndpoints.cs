using NanoAspire.Protocol.OpenAI;
using NanoAspire.Router.Nodes;

namespace NanoAspire.Router.Api;

/// <summary><c>/v1/models</c>: every name a request may carry, once each, while an engine that serves it takes work.</summary>
internal sealed class ModelEndpoints(NodeTable table, TimeProvider time)
{
    private readonly long _created = time.GetUtcNow().ToUnixTimeSeconds();

    public static void Map(IEndpointRouteBuilder v1)
    {
        v1.MapGet("/models", static (ModelEndpoints endpoints) => endpoints.List()).WithName("ListModels");
        v1.MapGet("/models/{**id}", static (string id, ModelEndpoints endpoints) => endpoints.Find(id)).WithName("RetrieveModel");
        // No engine offers embeddings yet; saying so in OpenAI's form is what its clients understand.
        v1.MapPost("/embeddings", static () => Problem(404, OpenAIError.InvalidRequest("No model offers embeddings.", "model", "model_not_found"))).WithName("CreateEmbedding");
    }

    private IResult List() => Results.Json(
        new ModelList { Data = [.. table.Current.Models.Where(entry => entry.Value.Servable).OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => Card(entry.Key, entry.Value))] },
        OpenAIJson.Relaxed.ModelList);

    private IResult Find(string id) =>
        (table.Current.Pool(id) ?? table.Current.Pool("/" + id)) is { Servable: true } pool   // a path's leading slash is lost in the URL
            ? Results.Json(Card(table.Current.Models.ContainsKey(id) ? id : "/" + id, pool), OpenAIJson.Relaxed.ModelCard)
            : Problem(404, OpenAIError.ModelNotFound(id));

    private ModelCard Card(string name, ModelPool pool) => new() { Id = name, Created = _created, Root = pool.Name };

    private static IResult Problem(int status, OpenAIError error) => Results.Json(error, OpenAIJson.Relaxed.OpenAIError, statusCode: status);
}
