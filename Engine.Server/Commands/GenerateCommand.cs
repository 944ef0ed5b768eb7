using System.CommandLine;
using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using NanoAspire.Engine.Server.Generation;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Commands;

/// <summary><c>generate DIR</c>: one prompt, offline; with <c>--disaggregated</c> through a prefill and a decode engine and a real transfer.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var engine = new EngineCommandOptions();
        var prompt = EngineCommandOptions.Named<string?>("prompt", "Text to continue", null);
        var chat = EngineCommandOptions.Named<string?>("chat", "User message, put through the chat template", null);
        var ids = EngineCommandOptions.Named<string?>("prompt-ids", "Token ids 1,2,3 or @FILE.json with an array of them", null);
        var maxTokens = EngineCommandOptions.Named<int>("max-tokens", "Tokens to generate at most", 16);
        var temperature = EngineCommandOptions.Named<float>("temperature", "0 is greedy", 0);
        var seed = EngineCommandOptions.Named<long?>("seed", "Makes sampling repeatable", null);
        var ignoreEos = EngineCommandOptions.Named<bool>("ignore-eos", "Do not stop at the end-of-sequence token", false);
        var disaggregated = EngineCommandOptions.Named<bool>("disaggregated", "Prefill in one engine, decode in another", false);
        var logitsLast = EngineCommandOptions.Named<bool>("logits-last", "Add the logits of the last prompt position (needs --json)", false);
        var json = EngineCommandOptions.Named<bool>("json", "Print one JSON document", false);
        var command = new Command("generate", "Generates from one prompt without a server");
        engine.AddTo(command);
        foreach (Option option in (Option[])[prompt, chat, ids, maxTokens, temperature, seed, ignoreEos, disaggregated, logitsLast, json]) command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var input = new PromptSource(parsed.GetValue(prompt), parsed.GetValue(chat), parsed.GetValue(ids));
            var sampling = new SamplingParams
            {
                MaxTokens = parsed.GetValue(maxTokens),
                Temperature = parsed.GetValue(temperature),
                Seed = parsed.GetValue(seed),
                IgnoreEos = parsed.GetValue(ignoreEos),
            };
            if (sampling.Validate() is var (_, message)) throw new UsageException(message);
            if (parsed.GetValue(logitsLast) && !parsed.GetValue(json)) throw new UsageException("--logits-last needs --json");
            input.CheckUsage();
            var result = await RunAsync(engine.Read(parsed), input, sampling, parsed.GetValue(disaggregated), ct);
            Print(result, parsed.GetValue(json), parsed.GetValue(logitsLast));
            return 0;
        });
        return command;
    }

    private static async Task<GenerateResult> RunAsync(EngineSettings settings, PromptSource input, SamplingParams sampling, bool disaggregated, CancellationToken ct)
    {
        // Standard output belongs to the answer; warnings go to standard error.
        using var loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Warning).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        await using var model = ModelHost.Load(settings, disaggregated ? EngineRole.Prefill : EngineRole.Hybrid, null, allowLocal: true, IPAddress.Loopback, TimeProvider.System, loggers);
        var prompt = input.Read(model);
        var request = new GenerationRequest { PromptTokens = prompt, Sampling = sampling, CaptureLogits = true, ParkAfterFirstToken = disaggregated };
        using var handle = model.Loop.Submit(request);
        if (!disaggregated) return await CollectAsync(model, prompt, handle, null, ct);

        await using var decode = ModelHost.Load(settings, EngineRole.Decode, null, allowLocal: true, IPAddress.Loopback, TimeProvider.System, loggers);
        var first = await ReadFirstAsync(handle, ct);
        if (first.Parked is null) return GenerateResult.Of(model, prompt, [first]);
        var ticket = await model.Handoffs.ParkAsync(first.Parked, prompt, first.Token!, firstFinishReason: null, ct);
        try
        {
            var reservation = await decode.Loop.ReserveAsync(prompt, ct);
            try { await decode.Puller.PullAsync(ticket, prompt, reservation, decode.Runner.KvMemory, ct); }
            catch { reservation.Dispose(); throw; }
            using var continued = decode.Loop.Submit(request with { ParkAfterFirstToken = false, Reservation = reservation, FirstToken = first.Token });
            return await CollectAsync(decode, prompt, continued, first.Logits, ct);
        }
        finally
        {
            model.Handoffs.Free([ticket.SeqId]);
        }
    }

    private static async Task<GenerateResult> CollectAsync(ServedModel model, int[] prompt, GenerationHandle handle, float[]? promptLogits, CancellationToken ct)
    {
        var outputs = new List<GenerationOutput>();
        await foreach (var output in handle.Outputs.ReadAllAsync(ct))
        {
            if (output.Error is not null) throw new EngineRejectedException(EngineRejectedException.Unhealthy, output.Error);
            outputs.Add(output);
        }
        return GenerateResult.Of(model, prompt, outputs) is var result && promptLogits is not null ? result with { LogitsLast = promptLogits } : result;
    }

    private static async Task<GenerationOutput> ReadFirstAsync(GenerationHandle handle, CancellationToken ct)
    {
        await foreach (var output in handle.Outputs.ReadAllAsync(ct))
            return output.Error is null ? output : throw new EngineRejectedException(EngineRejectedException.Unhealthy, output.Error);
        throw new InvalidOperationException("a sequence ended without an event");
    }

    private static void Print(GenerateResult result, bool json, bool logitsLast)
    {
        if (!json)
        {
            Console.Out.WriteLine(result.HasText ? result.Text : string.Join(',', result.TokenIds));
            return;
        }
        var document = new JsonObject
        {
            ["prompt_token_ids"] = new JsonArray([.. result.PromptTokenIds.Select(id => (JsonNode)id)]),
            ["token_ids"] = new JsonArray([.. result.TokenIds.Select(id => (JsonNode)id)]),
            ["text"] = result.Text,
            ["finish_reason"] = result.FinishReason,
        };
        if (logitsLast) document["logits_last"] = new JsonArray([.. result.LogitsLast!.Select(value => (JsonNode)value)]);
        Console.Out.WriteLine(document.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    /// <param name="PromptTokenIds">Prompt as the model saw it.</param>
    /// <param name="TokenIds">Generated ids, the end-of-sequence id included.</param>
    /// <param name="Text">Generated text; empty without a tokenizer.</param>
    /// <param name="HasText">False when the folder has no tokenizer.</param>
    /// <param name="FinishReason"><c>stop</c> or <c>length</c>.</param>
    /// <param name="LogitsLast">Logits at the last prompt position.</param>
    private sealed record GenerateResult(int[] PromptTokenIds, int[] TokenIds, string Text, bool HasText, string FinishReason, float[]? LogitsLast)
    {
        public static GenerateResult Of(ServedModel model, int[] prompt, List<GenerationOutput> outputs)
        {
            var text = new ChoiceText(model.Tokenizer, [], skipSpecialTokens: true);
            var pieces = outputs.Where(output => output.Finish != Engine.FinishReason.Stop).Select(output => text.Append(output.Token!.Id).Text).ToList();
            pieces.Add(text.Flush().Text);
            return new(prompt, [.. outputs.Select(output => output.Token!.Id)], string.Concat(pieces), model.Tokenizer is not null,
                outputs[^1].Finish == Engine.FinishReason.Stop ? "stop" : "length", outputs[0].Logits);
        }
    }
}
