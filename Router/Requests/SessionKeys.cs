using System.Text.Json;

namespace NanoAspire.Router.Requests;

/// <summary>
/// Where a client may say which requests belong together. Request and trace ids are not among them: they differ every time,
/// so keying on them is no affinity at all.
/// </summary>
internal static class SessionKeys
{
    private const int MaxLength = 512;
    private static readonly string[] Headers = ["x-session-id", "x-user-id", "x-tenant-id"];
    private static readonly string[] Members = ["session_id", "user", "user_id"];

    public static string? Of(IHeaderDictionary headers, JsonObjectBytes body)
    {
        foreach (var name in Headers)
            if (headers[name] is [{ Length: > 0 and <= MaxLength } key, ..]) return key;
        if (body.KindOf("session_params") is JsonTokenType.StartObject && Scalar(JsonObjectBytes.Parse(body.Value("session_params"), 64), "session_id") is { } nested)
            return nested;
        foreach (var name in Members)
            if (Scalar(body, name) is { } key) return key;
        return null;
    }

    private static string? Scalar(JsonObjectBytes body, string name) => body.KindOf(name) switch
    {
        // -1 is what some clients send for "no session".
        JsonTokenType.Number when body.Integer(name) is >= 0 and var id => id.ToString(System.Globalization.CultureInfo.InvariantCulture),
        JsonTokenType.String when body.Value(name).Length is > 2 and <= MaxLength => System.Text.Encoding.UTF8.GetString(body.Value(name).Span),
        _ => null,
    };
}
