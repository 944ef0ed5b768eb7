using System.Globalization;
using System.Text.Json;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Api;

/// <summary>Where a peer's registered memory is: written over HTTP or by agents straight into Redis, read in either form.</summary>
internal static class MemoryRegionEndpoints
{
    public static void MapMemoryRegions(this IEndpointRouteBuilder routes)
    {
        routes.MapApi("/register_mr", Effect.Write, RegisterAsync);
        routes.MapApi("/get_mr_info", Effect.Read, FindAsync);
    }

    private static async Task<Reply> RegisterAsync(ApiCall call, CancellationToken ct)
    {
        var agent = call.AgentName("agent_name");
        var region = Region(call);
        var address = call.Body.U64("addr");
        var length = call.Body.U64("length");
        var remoteKey = call.Body.U32("rkey");
        var localKey = call.Body.U32Or("lkey", absent: 0);
        var json = string.Create(CultureInfo.InvariantCulture, $"{{\"addr\":{address},\"length\":{length},\"lkey\":{localKey},\"rkey\":{remoteKey}}}");
        call.Subject = $"mr:{agent}:{region}";
        await call.Store.SetMemoryRegionAsync(call.Scope, agent, region, json, ct);
        return Reply.Ok();
    }

    private static async Task<Reply> FindAsync(ApiCall call, CancellationToken ct)
    {
        call.Body.Text("src");                                               // required by the contract, used by nobody
        var agent = call.AgentName("dst");
        using var stored = Json.TryParse(await call.Store.GetMemoryRegionAsync(call.Scope, agent, Region(call), ct));
        var numbers = stored is null ? null : Numbers(stored.RootElement);
        return Reply.Json(json =>
        {
            json.WriteStartObject();
            if (numbers is not { } info) json.WriteNull("mr_info");
            else
            {
                json.WriteStartObject("mr_info");
                json.WriteNumber("addr", info.Address);
                json.WriteNumber("length", info.Length);
                json.WriteNumber("rkey", info.RemoteKey);
                json.WriteNumber("lkey", info.LocalKey);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        });
    }

    private static string Region(ApiCall call)
    {
        var region = call.Body.Text("mr_name");
        ApiCall.CheckAgent("mr_name", region);
        return region;
    }

    private static (ulong Address, ulong Length, ulong RemoteKey, ulong LocalKey)? Numbers(JsonElement stored) =>
        Number(stored, "addr") is { } address && Number(stored, "length") is { } length && Number(stored, "rkey") is { } remoteKey && Number(stored, "lkey") is { } localKey
            ? (address, length, remoteKey, localKey)
            : null;

    private static ulong? Number(JsonElement stored, string name) =>
        stored.ValueKind == JsonValueKind.Object && stored.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out var number)
            ? number
            : null;
}
