using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using NanoAspire.Engine.Server.Generation;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Protocol.OpenAI;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Endpoints;

/// <summary><c>/v1/chat/completions</c> and <c>/v1/completions</c>: whole, streamed, and as prefill for a remote decode.</summary>
internal sealed class InferenceEndpoints(ServedModel model, RequestRunner runner, TimeProvider time, ILogger<InferenceEndpoints> logger)
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/v1").WithTags("OpenAI");
        group.MapPost("/chat/completions", static (HttpContext http, InferenceEndpoints endpoints) => endpoints.HandleAsync(http, chat: true)).WithName("CreateChatCompletion");
        group.MapPost("/completions", static (HttpContext http, InferenceEndpoints endpoints) => endpoints.HandleAsync(http, chat: false)).WithName("CreateCompletion");
    }

    private async Task HandleAsync(HttpContext http, bool chat)
    {
        var ct = http.RequestAborted;
        using var body = await JsonBody.ReadAsync(http.Request, ct);
        var request = InferenceRequestParser.Parse(body.RootElement, chat, model.Defaults);
        if (!model.Serves(request.Model))
        {
            await new Problem(404, OpenAIError.ModelNotFound(request.Model)).WriteAsync(http.Response, ct);
            return;
        }

        using var span = RequestSpan.Start(request, model, time);
        try
        {
            if (request.KvTransfer?.DoRemoteDecode is true) await PrefillAsync(http.Response, request, span, ct);
            else await GenerateAsync(http.Response, request, span, ct);
        }
        catch (Exception e)
        {
            span.Fail(e);
            throw;
        }
    }

    private async Task PrefillAsync(HttpResponse response, InferenceRequest request, RequestSpan span, CancellationToken ct)
    {
        var result = await runner.PrefillAsync(request, ct);
        using var format = AnswerFormat.Create(request, model, result.Prompts, time.GetUtcNow());
        List<ChoiceResult> choices = [];
        KvTransferParams? handoff = null;
        if (result.Finished is { } delta)
        {
            var choice = new ChoiceResult();
            choice.Add(delta);
            choices.Add(choice);
        }
        else
        {
            long[] ids = [.. result.Tickets.Select(ticket => ticket.SeqId)];
            handoff = new() { Migration = MigrationText.Encode([.. result.Tickets]), SeqId = ids[0], SeqIds = ids };
        }
        span.End(choices, format.UsageOf(choices));
        try
        {
            response.ContentType = "application/json";
            await response.Body.WriteAsync(format.Whole(choices, handoff), ct);
        }
        catch (Exception) when (handoff is not null)
        {
            model.Handoffs.Free(handoff.SeqIds!);   // nobody knows these blocks: no need to wait for the lease
            throw;
        }
    }

    private async Task GenerateAsync(HttpResponse response, InferenceRequest request, RequestSpan span, CancellationToken ct)
    {
        await using var running = await runner.StartAsync(request, ct);
        using var format = AnswerFormat.Create(request, model, running.Prompts, time.GetUtcNow());
        var choices = Enumerable.Range(0, running.ChoiceCount).Select(_ => new ChoiceResult()).ToList();
        if (request.Stream)
        {
            await StreamAsync(response, request, running, format, choices, span, ct);
        }
        else
        {
            await foreach (var delta in running.Deltas.ReadAllAsync(ct))
            {
                span.FirstToken();
                choices[delta.Choice].Add(delta);
            }
            ct.ThrowIfCancellationRequested();
            if (choices.Find(choice => choice.Error is not null) is { } failed)
                throw new EngineRejectedException(EngineRejectedException.Unhealthy, failed.Error!);
            response.ContentType = "application/json";
            await response.Body.WriteAsync(format.Whole(choices, handoff: null), ct);
        }
        span.End(choices, format.UsageOf(choices));
    }

    private async Task StreamAsync(
        HttpResponse response, InferenceRequest request, RunningRequest running, AnswerFormat format, List<ChoiceResult> choices, RequestSpan span, CancellationToken ct)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        response.HttpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        for (var choice = 0; choice < choices.Count && request.ResumeTokenIds is null; choice++)
            await response.Body.WriteAsync(format.Opening(choice), ct);

        using var quiet = new QuietStream(response, time, ct);
        while (await quiet.WaitToReadAsync(running.Deltas))
        {
            // Whatever has gathered goes out with one flush.
            while (running.Deltas.TryRead(out var delta))
            {
                span.FirstToken();
                choices[delta.Choice].Add(delta);
                if (delta.Error is not null)
                {
                    Log.StreamFailed(logger, delta.Error);
                    await WriteErrorEventAsync(response, delta.Error, ct);
                    return;
                }
                if (format.Shows(delta)) await response.Body.WriteAsync(format.Event(delta), ct);
            }
            await response.Body.FlushAsync(ct);
        }
        ct.ThrowIfCancellationRequested();
        if (request.IncludeUsage) await response.Body.WriteAsync(format.UsageEvent(choices), ct);
        await response.Body.WriteAsync("data: [DONE]\n\n"u8.ToArray(), ct);
    }

    private static async Task WriteErrorEventAsync(HttpResponse response, string message, CancellationToken ct)
    {
        await response.Body.WriteAsync("data: "u8.ToArray(), ct);
        var error = OpenAIError.Create(message, "server_error", code: "engine_failed");
        await response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(error, OpenAIJson.Relaxed.OpenAIError), ct);
        await response.Body.WriteAsync("\n\n"u8.ToArray(), ct);
    }
}
