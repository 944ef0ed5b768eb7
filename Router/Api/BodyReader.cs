using System.Buffers;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Api;

/// <summary>Reads a request body into memory up to the limit.</summary>
internal static class BodyReader
{
    /// <summary>What is read and thrown away of an oversized body, so that its sender gets to see the answer instead of a reset connection.</summary>
    private const long MaxDrained = 128L << 20;
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    /// <returns>Null when the body is longer than the limit.</returns>
    /// <exception cref="BadRequestException">The body ended early or its framing is broken.</exception>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpRequest request, long limit, CancellationToken ct)
    {
        if (request.ContentLength > limit) return null;
        var reader = request.BodyReader;
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(ct);
                if (result.Buffer.Length > limit)
                {
                    reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                    return null;
                }
                if (result.IsCompleted)
                {
                    var body = result.Buffer.ToArray();
                    reader.AdvanceTo(result.Buffer.End);
                    return body;
                }
                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        catch (BadHttpRequestException e)
        {
            throw new BadRequestException(e.Message, status: e.StatusCode);
        }
    }

    /// <summary>Takes in the rest of a body that was refused, within bounds.</summary>
    public static async Task DrainAsync(HttpContext http, TimeProvider time)
    {
        using var limit = new Relay.Deadline(DrainTime, time, http.RequestAborted);
        var drained = 0L;
        try
        {
            while (drained < MaxDrained)
            {
                var result = await http.Request.BodyReader.ReadAsync(limit.Token);
                drained += result.Buffer.Length;
                http.Request.BodyReader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Gone, or too slow: it has had its answer.
        }
        http.Abort();
    }
}
