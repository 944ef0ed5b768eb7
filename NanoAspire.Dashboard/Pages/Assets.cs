using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace NanoAspire.Dashboard.Pages;

/// <summary>Style, script and icon out of the assembly. Their address changes with their content, so browsers may keep them for ever.</summary>
internal static class Assets
{
    private static readonly Dictionary<string, (byte[] Content, string ContentType, string Version)> Files = new(StringComparer.Ordinal)
    {
        ["dashboard.css"] = Load("dashboard.css", "text/css; charset=utf-8"),
        ["dashboard.js"] = Load("dashboard.js", "text/javascript; charset=utf-8"),
        ["favicon.svg"] = Load("favicon.svg", "image/svg+xml"),
    };

    public static string Href(string name) => $"/assets/{name}?v={Files[name].Version}";

    public static async Task WriteAsync(HttpContext context)
    {
        if (context.Request.RouteValues["name"] is not string name || !Files.TryGetValue(name, out var file))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        context.Response.ContentType = file.ContentType;
        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        await context.Response.Body.WriteAsync(file.Content, context.RequestAborted);
    }

    private static (byte[] Content, string ContentType, string Version) Load(string name, string contentType)
    {
        using var stream = typeof(Assets).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The assembly lacks {name}");
        using var content = new MemoryStream();
        stream.CopyTo(content);
        var bytes = content.ToArray();
        return (bytes, contentType, Convert.ToHexStringLower(SHA256.HashData(bytes))[..12]);
    }
}
