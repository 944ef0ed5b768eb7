using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Protocol.OpenAI;

namespace NanoAspire.Engine.Server.Endpoints;

/// <summary><c>/v1/models</c>: the served name and its aliases as equal ids.</summary>
internal static class ModelEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/models", static (ServedModel model) =>
            Results.Json(new ModelList { Data = [.. model.Names.Select(name => CardOf(model, name))] }, OpenAIJson.Relaxed.ModelList));
        app.MapGet("/v1/models/{**id}", static (string id, ServedModel model) => model.Serves(id) || model.Serves("/" + id)
            ? Results.Json(CardOf(model, model.Serves(id) ? id : "/" + id), OpenAIJson.Relaxed.ModelCard)
            : Results.Json(OpenAIError.ModelNotFound(id), OpenAIJson.Relaxed.OpenAIError, statusCode: 404));
    }

    private static ModelCard CardOf(ServedModel model, string name) => new()
    {
        Id = name,
        Created = model.Created.ToUnixTimeSeconds(),
        Root = model.Name,
        MaxModelLen = model.MaxModelLength,
        Capabilities = ServedModel.Capabilities,
    };
}
