using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Requests;

/// <summary>
/// Reads the bodies of <c>/v1/chat/completions</c> and <c>/v1/completions</c>. Unknown fields are ignored, as OpenAI's servers do;
/// known ones that this engine cannot honour are refused by name, so nobody believes in a constraint that was dropped.
/// </summary>
internal static class InferenceRequestParser
{
    private static readonly string[] Efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

    private const int MostChoices = 128;
    private const int MostPrompts = 256;
    private const int MostStops = 16;

    public static InferenceRequest Parse(JsonElement body, bool chat, SamplingDefaults defaults)
    {
        if (body.ValueKind != JsonValueKind.Object) throw new BadRequestException("the body must be a JSON object");
        var fields = new JsonFields(body);
        RefuseUnsupported(fields);

        var (format, formatField) = ConstraintParser.ParseFormat(fields);
        var request = new InferenceRequest
        {
            Chat = chat,
            Model = fields.String("model") ?? throw new BadRequestException("'model' is required", "model"),
            Sampling = ParseSampling(fields, chat, defaults),
            Stops = ParseStops(fields),
            Choices = fields.Int("n") ?? 1,
            Stream = fields.Bool("stream") ?? false,
            IncludeUsage = IncludesUsage(fields),
            ReturnTokenIds = fields.Bool("return_token_ids") ?? false,
            Resumable = fields.Bool("resumable") ?? false,
            ResumeTokenIds = fields.Find("resume_token_ids") is not { } resumed ? null
                : resumed.ValueKind is JsonValueKind.Array ? JsonFields.ReadInts(resumed, "resume_token_ids") : throw JsonFields.Wrong("resume_token_ids", "a list of integers"),
            Format = format,
            FormatField = formatField,
            ToolChoice = chat ? ConstraintParser.ParseToolChoice(fields) : null,
            ParallelToolCalls = fields.Bool("parallel_tool_calls") ?? true,
            SkipSpecialTokens = fields.Bool("skip_special_tokens") ?? true,
            Echo = !chat && (fields.Bool("echo") ?? false),
            KvTransfer = ParseKvTransfer(fields),
        };
        if (request.Choices is < 1 or > MostChoices) throw new BadRequestException($"'n' must be between 1 and {MostChoices}", "n");
        if (request.ResumeTokenIds is not null && (request.Choices > 1 || request.Echo)) throw new BadRequestException("only an answer of one choice can be resumed", "resume_token_ids");
        if (!chat && fields.Int("best_of") is { } bestOf && bestOf != request.Choices)
            throw new BadRequestException("'best_of' other than n is not supported", "best_of", "unsupported_parameter");
        return chat
            ? request with
            {
                Messages = ChatMessages.Parse(fields),
                Tools = ParseTools(fields),
                TemplateArguments = ParseTemplateArguments(fields),
                AddGenerationPrompt = fields.Bool("add_generation_prompt") ?? true,
            }
            : request with { Prompts = ParsePrompts(fields) } is var text && text.ResumeTokenIds is not null && text.Prompts.Count > 1
                ? throw new BadRequestException("only an answer to one prompt can be resumed", "resume_token_ids")
                : text;
    }

    private static SamplingParams ParseSampling(JsonFields fields, bool chat, SamplingDefaults defaults)
    {
        var sampling = new SamplingParams
        {
            Temperature = fields.Float("temperature") ?? defaults.Temperature ?? 1,
            TopP = fields.Float("top_p") ?? defaults.TopP ?? 1,
            TopK = fields.Int("top_k") ?? defaults.TopK ?? 0,
            MinP = fields.Float("min_p") ?? defaults.MinP ?? 0,
            RepetitionPenalty = fields.Float("repetition_penalty") ?? defaults.RepetitionPenalty ?? 1,
            PresencePenalty = fields.Float("presence_penalty") ?? 0,
            FrequencyPenalty = fields.Float("frequency_penalty") ?? 0,
            Seed = fields.Long("seed"),
            // OpenAI's legacy completions stop after 16 tokens unless told otherwise; chat runs to the end of the context.
            MaxTokens = fields.Int("max_completion_tokens") ?? fields.Int("max_tokens") ?? (chat ? null : 16),
            MinTokens = fields.Int("min_tokens") ?? 0,
            StopTokenIds = fields.Ints("stop_token_ids", 64),
            IgnoreEos = fields.Bool("ignore_eos") ?? false,
            LogitBias = ParseLogitBias(fields),
            Logprobs = ParseLogprobs(fields, chat),
        };
        if (sampling.Validate() is var (parameter, message))
            throw new BadRequestException(message, parameter == "max_tokens" && fields.Find("max_completion_tokens") is not null ? "max_completion_tokens" : parameter);
        return sampling;
    }

    private static int? ParseLogprobs(JsonFields fields, bool chat)
    {
        if (!chat) return fields.Int("logprobs");
        var top = fields.Int("top_logprobs");
        if (fields.Bool("logprobs") is true) return top ?? 0;
        return top is null ? null : throw new BadRequestException("'top_logprobs' needs 'logprobs': true", "top_logprobs");
    }

    private static Dictionary<int, float> ParseLogitBias(JsonFields fields)
    {
        var bias = new Dictionary<int, float>();
        if (fields.Find("logit_bias") is not { } value) return bias;
        if (value.ValueKind != JsonValueKind.Object) throw JsonFields.Wrong("logit_bias", "an object of token id to number");
        foreach (var entry in value.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, out var id) || entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetSingle(out var amount) || amount is not (>= -100 and <= 100))
                throw new BadRequestException("'logit_bias' maps token ids to numbers between -100 and 100", "logit_bias");
            bias[id] = amount;
            if (bias.Count > 1024) throw new BadRequestException("'logit_bias' takes at most 1024 entries", "logit_bias");
        }
        return bias;
    }

    private static IReadOnlyList<string> ParseStops(JsonFields fields)
    {
        var stops = fields.Strings("stop", MostStops);
        return stops.Any(stop => stop.Length is 0 or > 1024)
            ? throw new BadRequestException("'stop' strings must have 1 to 1024 characters", "stop")
            : stops;
    }

    private static List<PromptInput> ParsePrompts(JsonFields fields)
    {
        var prompt = fields.Find("prompt") ?? throw new BadRequestException("'prompt' is required", "prompt");
        if (prompt.ValueKind == JsonValueKind.String) return [new(prompt.GetString(), null)];
        if (prompt.ValueKind != JsonValueKind.Array) throw JsonFields.Wrong("prompt", "text, a list of texts, a list of ids or a list of lists of ids");
        var count = prompt.GetArrayLength();
        if (count == 0) throw new BadRequestException("'prompt' is empty", "prompt");
        if (prompt[0].ValueKind == JsonValueKind.Number) return [new(null, JsonFields.ReadInts(prompt, "prompt"))];
        if (count > MostPrompts) throw new BadRequestException($"'prompt' takes at most {MostPrompts} prompts", "prompt");
        return
        [
            .. prompt.EnumerateArray().Select(item => item.ValueKind switch
            {
                JsonValueKind.String => new PromptInput(item.GetString(), null),
                JsonValueKind.Array => new PromptInput(null, JsonFields.ReadInts(item, "prompt")),
                _ => throw JsonFields.Wrong("prompt", "text, a list of texts, a list of ids or a list of lists of ids"),
            }),
        ];
    }

    /// <summary>
    /// Variables for the chat template: <c>chat_template_kwargs</c>, and what <c>reasoning_effort</c> means to templates that know of it.
    /// They call it by that name, or have a switch: <c>enable_thinking</c> (Qwen, GLM) or <c>thinking</c> (DeepSeek, Kimi).
    /// </summary>
    internal static JsonObject? ParseTemplateArguments(JsonFields fields)
    {
        JsonObject? variables = null;
        if (fields.Find("chat_template_kwargs") is { } arguments)
            variables = arguments.ValueKind is JsonValueKind.Object ? JsonObject.Create(arguments) : throw JsonFields.Wrong("chat_template_kwargs", "an object");
        if (fields.String("reasoning_effort") is not { } effort) return variables;
        if (!Efforts.Contains(effort)) throw new BadRequestException($"'reasoning_effort' must be one of {string.Join(", ", Efforts)}", "reasoning_effort");
        variables ??= [];
        variables.TryAdd("reasoning_effort", effort);   // what the client says to the template itself counts
        foreach (var name in (string[])["enable_thinking", "thinking"]) variables.TryAdd(name, effort != "none");
        return variables;
    }

    private static bool IncludesUsage(JsonFields fields)
    {
        if (fields.Find("stream_options") is not { } options) return false;
        if (options.ValueKind is not JsonValueKind.Object) throw JsonFields.Wrong("stream_options", "an object");
        return new JsonFields(options).Find("include_usage") switch
        {
            null or { ValueKind: JsonValueKind.False } => false,
            { ValueKind: JsonValueKind.True } => true,
            _ => throw JsonFields.Wrong("stream_options.include_usage", "true or false"),
        };
    }

    internal static JsonArray? ParseTools(JsonFields fields)
    {
        if (fields.Find("tools") is not { } tools) return null;
        if (tools.ValueKind != JsonValueKind.Array) throw JsonFields.Wrong("tools", "a list");
        if (fields.Find("tool_choice") is { ValueKind: JsonValueKind.String } choice && choice.ValueEquals("none")) return null;
        return tools.GetArrayLength() == 0 ? null : JsonArray.Create(tools);
    }

    private static KvTransferParams? ParseKvTransfer(JsonFields fields)
    {
        if (fields.Find("kv_transfer_params") is not { } value) return null;
        try { return value.Deserialize(WireJson.Default.KvTransferParams); }
        catch (JsonException) { throw JsonFields.Wrong("kv_transfer_params", "an object with do_remote_decode or migration"); }
    }

    private static void RefuseUnsupported(JsonFields fields)
    {
        if (fields.Find("suffix") is not null) throw new BadRequestException("'suffix' is not supported", "suffix", "unsupported_parameter");
    }
}
