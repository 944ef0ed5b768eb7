using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>Images, and chats about them.</summary>
internal static class Pictures
{
    public static readonly byte[] Red = [1, 2, 3];
    public static readonly byte[] Blue = [4, 5, 6];

    public static string UrlOf(byte[] image) => $"data:image/png;base64,{Convert.ToBase64String(image)}";

    public static string DigestOf(byte[] image) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(image))}";

    public static string Chat(byte[][] images, bool stream = false) => ChatOf(stream, [.. images.Select(UrlOf)]);

    public static string ChatOf(params string[] urls) => ChatOf(false, urls);

    public static string ChatOf(bool stream, string[] urls)
    {
        var parts = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = "look" });
        foreach (var url in urls) parts.Add(new JsonObject { ["type"] = "image_url", ["image_url"] = new JsonObject { ["url"] = url } });
        return new JsonObject { ["model"] = "m1", ["stream"] = stream, ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = parts }) }.ToJsonString();
    }
}
