namespace NanoAspire.Router.Relay;

/// <summary>Which of the client's headers an engine gets to see. Credentials, cookies and hop-by-hop headers are not among them.</summary>
internal static class EngineHeaders
{
    private static readonly string[] Passed = ["Accept", "Accept-Language", "User-Agent", "OpenAI-Organization", "OpenAI-Project"];

    public static void Copy(HttpRequest from, HttpRequestMessage to, string requestId, bool authorization)
    {
        foreach (var (name, value) in from.Headers)
        {
            // The trace's own headers are written by the client handler, from the span of this stage.
            if (IsPassed(name) || (authorization && name.Equals("Authorization", StringComparison.OrdinalIgnoreCase)))
                to.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)value);
        }
        to.Headers.TryAddWithoutValidation(RequestIds.Header, requestId);
    }

    private static bool IsPassed(string name)
    {
        if (name.StartsWith("x-", StringComparison.OrdinalIgnoreCase))
            return !name.Equals(RequestIds.Header, StringComparison.OrdinalIgnoreCase) && !name.Equals("x-api-key", StringComparison.OrdinalIgnoreCase);
        foreach (var passed in Passed)
            if (name.Equals(passed, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }
}
