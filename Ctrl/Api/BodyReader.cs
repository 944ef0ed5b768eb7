using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Net.Http.Headers;

namespace NanoAspire.Ctrl.Api;

/// <summary>Turns a request into a JSON document, or into the status that the contract gives each way of failing.</summary>
internal static class BodyReader
{
    public const int MaxBytes = 2 * 1024 * 1024;

    /// <summary>A larger body is still taken in up to here and thrown away: a client that is cut off while it sends never sees the 413.</summary>
    public const int MaxDiscardedBytes = 64 * 1024 * 1024;

    /// <exception cref="ApiException">415, 413 or 400, in that order of checking.</exception>
    public static async Task<JsonDocument> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        if (!IsJson(request.ContentType)) throw new ApiException(StatusCodes.Status415UnsupportedMediaType, "expected Content-Type: application/json");
        try
        {
            var reader = request.BodyReader;
            while (true)
            {
                var read = await reader.ReadAsync(ct);
                if (read.Buffer.Length > MaxBytes)
                {
                    var received = read.Buffer.Length;
                    reader.AdvanceTo(read.Buffer.End);
                    await DiscardAsync(reader, received, ct);
                    throw new ApiException(StatusCodes.Status413PayloadTooLarge, $"the body is larger than {MaxBytes} bytes");
                }
                if (!read.IsCompleted)
                {
                    reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                    continue;
                }
                try { return Parse(read.Buffer); }
                finally { reader.AdvanceTo(read.Buffer.End); }
            }
        }
        catch (BadHttpRequestException e) { throw new ApiException(e.StatusCode, e.Message); }
    }

    /// <summary>What follows the first complete document is ignored.</summary>
    private static JsonDocument Parse(ReadOnlySequence<byte> body)
    {
        if (body.IsEmpty) throw ApiException.Malformed("the body is empty");
        var bytes = ArrayPool<byte>.Shared.Rent((int)body.Length);
        try
        {
            body.CopyTo(bytes);
            var text = bytes.AsSpan(0, (int)body.Length);
            if (!Utf8.IsValid(text)) throw ApiException.Malformed("the body is not UTF-8");
            var reader = new Utf8JsonReader(text);
            try { return JsonDocument.ParseValue(ref reader); }              // copies what it keeps
            catch (JsonException e) { throw ApiException.Malformed($"the body is not JSON: {e.Message}"); }
        }
        finally { ArrayPool<byte>.Shared.Return(bytes); }
    }

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.Type.Equals("application", StringComparison.OrdinalIgnoreCase)
        && (type.SubType.Equals("json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase));

    private static async Task DiscardAsync(PipeReader reader, long received, CancellationToken ct)
    {
        while (received < MaxDiscardedBytes)
        {
            var read = await reader.ReadAsync(ct);
            received += read.Buffer.Length;
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return;
        }
    }
}
