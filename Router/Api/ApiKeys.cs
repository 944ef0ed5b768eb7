using System.Security.Cryptography;
using System.Text;
using NanoAspire.Protocol.OpenAI;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Api;

/// <summary>Lets a group of routes be used with certain keys only. Keys are compared by digest, in constant time.</summary>
internal sealed class ApiKeys : IEndpointFilter
{
    private const string Everybody = "-";
    private static readonly object Item = new();

    private readonly byte[][] _digests;

    public ApiKeys(IEnumerable<string> keys) => _digests = [.. keys.Select(Digest)];

    /// <summary>A name for the key that a request came with; the same for all where no keys are set.</summary>
    public static string Of(HttpContext http) => http.Items[Item] as string ?? Everybody;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (_digests.Length == 0) return await next(context);
        var http = context.HttpContext;
        var header = http.Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            var digest = Digest(header["Bearer ".Length..].Trim());
            if (Array.Exists(_digests, known => CryptographicOperations.FixedTimeEquals(known, digest)))
            {
                http.Items[Item] = Convert.ToHexStringLower(digest.AsSpan(0, 4));
                return await next(context);
            }
        }
        var message = header.Length == 0 ? "An API key is required: send Authorization: Bearer <key>." : "The API key is not valid.";
        await new ErrorReply(401, OpenAIError.Create(message, "authentication_error", code: "invalid_api_key")).WriteAsync(http.Response, http.RequestAborted);
        return Results.Empty;
    }

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
