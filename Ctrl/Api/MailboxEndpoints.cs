using System.Globalization;
using System.Text.Json;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Api;

/// <summary>Ours: mailboxes and notices over HTTP, for peers that are not given Redis (or where there is none).</summary>
internal static class MailboxEndpoints
{
    private const int MaxFields = 64;
    private const int MaxFieldCharacters = 64 * 1024;

    public static void MapMailboxes(this IEndpointRouteBuilder routes)
    {
        routes.MapApi("/v1/post_mail", Effect.Write, PostAsync);
        routes.MapApi("/v1/read_mail", Effect.Read, ReadAsync);
        routes.MapApi("/v1/take_notices", Effect.Renew, TakeNoticesAsync);
    }

    private static async Task<Reply> PostAsync(ApiCall call, CancellationToken ct)
    {
        var agent = call.AgentName("agent_name");
        var fields = new List<KeyValuePair<string, string>> { new("type", ApiCall.Limited("type", call.Body.Text("type"), 64)!), new("peer", call.Body.Text("peer")) };
        ApiCall.CheckAgent("peer", fields[1].Value);
        if (call.Body.OptionalJson("fields") is { } extra)
        {
            using var document = JsonDocument.Parse(extra);
            var more = new Body(document.RootElement);
            foreach (var (name, _) in more.Fields)
            {
                if (fields.Count == MaxFields) throw ApiException.Unfit("fields", $"more than {MaxFields}");
                if (name.Length is 0 or > 64 || name is "type" or "peer" or "timestamp") throw ApiException.Unfit($"fields.{name}", "is not a usable name");
                fields.Add(new(name, ApiCall.Limited($"fields.{name}", more.Text(name), MaxFieldCharacters)!));
            }
        }
        await call.Store.PostMailAsync(call.Scope, agent, fields, ct);
        return Reply.Ok();
    }

    private static async Task<Reply> ReadAsync(ApiCall call, CancellationToken ct)
    {
        var agent = call.AgentName("agent_name");
        var after = call.Body.TextOr("after", "0-0");
        if (!IsMailId(after)) throw ApiException.Unfit("after", "is not an entry id such as 1700000000000-0");
        var count = call.Body.U32Or("count", absent: 100);
        if (count is 0 or > IPeerStore.MailboxLimit) throw ApiException.Unfit("count", $"is not between 1 and {IPeerStore.MailboxLimit}");
        var entries = await call.Store.ReadMailAsync(call.Scope, agent, after, (int)count, ct);
        return Reply.Json(json =>
        {
            json.WriteStartObject();
            json.WriteString("status", "ok");
            json.WriteStartArray("entries");
            foreach (var entry in entries)
            {
                json.WriteStartObject();
                json.WriteString("id", entry.Id);
                json.WriteStartObject("fields");
                foreach (var (name, value) in entry.Fields) json.WriteString(name, value);
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static async Task<Reply> TakeNoticesAsync(ApiCall call, CancellationToken ct)
    {
        var agent = call.AgentName("agent_name");
        var notices = await call.Store.TakeNoticesAsync(call.Scope, agent, ct);
        return Reply.Json(json =>
        {
            json.WriteStartObject();
            json.WriteString("status", "ok");
            json.WriteStartArray("notices");
            foreach (var notice in notices)
            {
                using var document = Json.TryParse(notice);
                if (document is not null) json.WriteRawValue(notice);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static bool IsMailId(string text)
    {
        var dash = text.IndexOf('-');
        return dash > 0
            && long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out _)
            && long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }
}
