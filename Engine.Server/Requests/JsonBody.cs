using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace NanoAspire.Engine.Server.Requests;

/// <summary>Reads a request's JSON so that nothing in it can surprise a later reader: text that is no Unicode and members that come twice are refused here.</summary>
internal static class JsonBody
{
    private static readonly JsonDocumentOptions Limits = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <exception cref="BadRequestException">Not JSON in UTF-8.</exception>
    /// <exception cref="JsonException">Not JSON, too deep, or a member twice.</exception>
    public static async Task<JsonDocument> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        if (!request.HasJsonContentType()) throw new BadRequestException("Content-Type must be application/json", status: 415);
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, ct);
        ReadOnlyMemory<byte> json = body.GetBuffer().AsMemory(0, (int)body.Length);
        if (!Utf8.IsValid(json.Span)) throw new BadRequestException("the body is not valid UTF-8");
        var document = JsonDocument.Parse(json.ToArray(), Limits);
        if (HasHalfPair(json.Span))
        {
            document.Dispose();
            throw new BadRequestException("the body has a \\u escape of half a surrogate pair");
        }
        return document;
    }

    /// <summary>An escape may name half a character, which the grammar of JSON allows and no text can hold.</summary>
    private static bool HasHalfPair(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf(@"\ud"u8) < 0 && json.IndexOf(@"\uD"u8) < 0) return false;
        var buffer = ArrayPool<char>.Shared.Rent(json.Length);
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Limits.MaxDepth });
            while (reader.Read())
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped) reader.CopyString(buffer);
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }
}
