using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Api;

/// <summary>Ours: what agents report of themselves (<c>obs:peer:*</c>), for agents that are not given Redis.</summary>
internal static class PeerReportEndpoints
{
    private const int MaxReportCharacters = 256 * 1024;
    private const ulong MinLifetime = 1000, MaxLifetime = 24 * 3600 * 1000;

    public static void MapPeerReports(this IEndpointRouteBuilder routes)
    {
        routes.MapApi("/v1/report_peer", Effect.Renew, ReportAsync);
        routes.MapApi("/v1/peer_reports", Effect.Read, ListAsync);
    }

    private static async Task<Reply> ReportAsync(ApiCall call, CancellationToken ct)
    {
        var agent = call.AgentName("agent_name");
        var lifetime = call.Body.U64("ttl_ms");
        if (lifetime is < MinLifetime or > MaxLifetime) throw ApiException.Unfit("ttl_ms", $"is not between {MinLifetime} and {MaxLifetime}");
        var report = ApiCall.Limited("report", call.Body.OptionalJson("report"), MaxReportCharacters) ?? throw ApiException.Unfit("report", "missing field");
        if (!Json.IsObject(report)) throw ApiException.Unfit("report", "expected an object");
        return await call.Store.SetReportAsync(call.Scope, agent, report, TimeSpan.FromMilliseconds(lifetime), ct)
            ? Reply.Ok()
            : Reply.NotFound($"Agent {agent} not found");
    }

    private static async Task<Reply> ListAsync(ApiCall call, CancellationToken ct)
    {
        var reports = await call.Store.ListReportsAsync(call.Scope, ct);
        return Reply.Json(json =>
        {
            json.WriteStartObject();
            json.WriteString("status", "ok");
            json.WriteStartArray("reports");
            foreach (var report in reports)
                if (Json.IsObject(report)) json.WriteRawValue(report);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }
}
