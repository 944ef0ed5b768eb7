using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Server.Requests;

namespace NanoAspire.Engine.Server.Endpoints;

/// <summary><c>POST /pd/free {"seq_ids":[…]}</c> releases parked KV; repeating it or naming unknown ids is no error.</summary>
internal static class HandoffEndpoints
{
    private const int MostIds = 4096;

    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/pd/free", FreeAsync).WithName("FreeHandoff");

    private static async Task FreeAsync(HttpContext http, ServedModel model)
    {
        using var body = await JsonDocument.ParseAsync(http.Request.Body, default, http.RequestAborted);
        if (body.RootElement.ValueKind != JsonValueKind.Object || !body.RootElement.TryGetProperty("seq_ids", out var list) || list.ValueKind != JsonValueKind.Array)
            throw new BadRequestException("'seq_ids' must be a list of integers", "seq_ids");
        if (list.GetArrayLength() > MostIds) throw new BadRequestException($"'seq_ids' takes at most {MostIds} ids", "seq_ids");
        var ids = list.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out var id)
            ? id
            : throw new BadRequestException("'seq_ids' must be a list of integers", "seq_ids")).ToArray();
        var result = model.Handoffs.Free(ids);
        http.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(http.Response.Body);
        json.WriteStartObject();
        WriteIds(json, "freed", result.Freed);
        WriteIds(json, "unknown", result.Unknown);
        json.WriteEndObject();
        await json.FlushAsync(http.RequestAborted);
    }

    private static void WriteIds(Utf8JsonWriter json, string name, IEnumerable<long> ids)
    {
        json.WriteStartArray(name);
        foreach (var id in ids) json.WriteNumberValue(id);
        json.WriteEndArray();
    }
}
