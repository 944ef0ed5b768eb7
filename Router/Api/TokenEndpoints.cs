using System.Net.Http.Headers;
using NanoAspire.Protocol.OpenAI;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Api;

/// <summary>
/// <c>/tokenize</c> and <c>/detokenize</c>: asked of any engine of the model, since all have the same tokenizer. Without a model's
/// name it is the only one there is.
/// </summary>
internal sealed class TokenEndpoints(NodeTable table, EngineClient client, RouterOptions options, TimeProvider time)
{
    private const int MaxReplyBytes = 64 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static void Map(IEndpointRouteBuilder app)
    {
        foreach (var path in (string[])["/tokenize", "/detokenize"])
            app.MapPost(path, static (HttpContext http, TokenEndpoints endpoints) => endpoints.HandleAsync(http));
    }

    private async Task HandleAsync(HttpContext http)
    {
        var ct = http.RequestAborted;
        try
        {
            if (await AskAsync(http, ct) is { } error) await error.WriteAsync(http.Response, ct);
        }
        catch (BadRequestException e)
        {
            await new ErrorReply(e.Status, OpenAIError.InvalidRequest(e.Message, e.Param, e.Code)).WriteAsync(http.Response, ct);
        }
    }

    private async Task<ErrorReply?> AskAsync(HttpContext http, CancellationToken ct)
    {
        if (!http.Request.HasJsonContentType()) throw new BadRequestException("Content-Type must be application/json", status: 415);
        if (await BodyReader.ReadAsync(http.Request, options.MaxBodyBytes, ct) is not { } body) return ErrorReply.TooLarge(options.MaxBodyBytes);
        var model = ModelOf(body);
        if (model is null) throw new BadRequestException("'model' is required when several are served", "model");
        if (table.Current.Pool(model) is not { } pool) return new ErrorReply(404, OpenAIError.ModelNotFound(model));
        string? reason = null;
        foreach (var node in pool.Hybrid.Concat(pool.Prefill).Concat(pool.Decode).Where(node => node.TakesWork).OrderBy(node => node.InFlight).Take(options.Retries + 1))
        {
            using var deadline = new Deadline(Limit, time, ct);
            try
            {
                using var message = new HttpRequestMessage(HttpMethod.Post, node.Url + http.Request.Path) { Content = new ReadOnlyMemoryContent(body) };
                message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                EngineHeaders.Copy(http.Request, message, http.Response.Headers[RequestIds.Header].ToString(), options.ForwardAuthorization);
                using var response = await client.SendAsync(message, deadline.Token);
                reason = $"status {(int)response.StatusCode}";
                if ((int)response.StatusCode >= 500 || await EngineClient.ReadAsync(response.Content, MaxReplyBytes, deadline.Token) is not { } reply) continue;
                http.Response.StatusCode = (int)response.StatusCode;
                http.Response.ContentType = response.Content.Headers.ContentType?.ToString() ?? "application/json";
                http.Response.ContentLength = reply.Length;
                await http.Response.Body.WriteAsync(reply, ct);
                return null;
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
            {
                reason = deadline.Passed ? "no answer in time" : e.Message;
            }
        }
        return reason is null ? ErrorReply.NoCapacity(model) : ErrorReply.NodeFailed(reason);
    }

    private string? ModelOf(ReadOnlyMemory<byte> body)
    {
        try
        {
            var named = JsonObjectBytes.Parse(body, options.MaxJsonDepth).String("model");
            if (named is not null) return named;
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException)
        {
            throw new BadRequestException($"the body is not valid JSON: {e.Message}");
        }
        var names = table.Current.Models.Values.Select(pool => pool.Name).Distinct(StringComparer.Ordinal).Take(2).ToArray();
        return names.Length == 1 ? names[0] : null;
    }
}
