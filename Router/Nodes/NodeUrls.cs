namespace NanoAspire.Router.Nodes;

/// <summary>One spelling for each engine address, so that the same engine is never two nodes.</summary>
internal static class NodeUrls
{
    /// <summary>Scheme added where missing (http), host in lower case, no trailing slash; null when it is no HTTP address.</summary>
    public static string? Normalize(string text)
    {
        var full = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        return Uri.TryCreate(full, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0
            ? url.GetLeftPart(UriPartial.Path).TrimEnd('/')
            : null;
    }
}
