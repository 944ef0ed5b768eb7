using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NanoAspire.Engine.Server.Generation;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Protocol.OpenAI;

namespace NanoAspire.Engine.Server.Endpoints;

/// <summary><c>/tokenize</c> and <c>/detokenize</c>, in vLLM's shapes: a text or a conversation to ids, and ids to text.</summary>
internal static class TokenEndpoints
{
    private const int MostIds = 1 << 20;

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapPost("/tokenize", static (HttpContext http, ServedModel model) => HandleAsync(http, model, Tokenize)).WithName("Tokenize");
        app.MapPost("/detokenize", static (HttpContext http, ServedModel model) => HandleAsync(http, model, Detokenize)).WithName("Detokenize");
    }

    private static async Task HandleAsync(HttpContext http, ServedModel model, Action<Utf8JsonWriter, JsonFields, ServedModel> answer)
    {
        using var body = await JsonBody.ReadAsync(http.Request, http.RequestAborted);
        if (body.RootElement.ValueKind is not JsonValueKind.Object) throw new BadRequestException("the body must be a JSON object");
        var fields = new JsonFields(body.RootElement);
        if (fields.String("model") is { } name && !model.Serves(name))
        {
            await new Problem(404, OpenAIError.ModelNotFound(name)).WriteAsync(http.Response, http.RequestAborted);
            return;
        }
        if (model.Tokenizer is null) throw new BadRequestException($"model '{model.Name}' has no tokenizer", code: "no_tokenizer");
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(output)) answer(json, fields, model);
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(output.WrittenMemory, http.RequestAborted);
    }

    private static void Tokenize(Utf8JsonWriter json, JsonFields fields, ServedModel model)
    {
        var prompts = new PromptBuilder(model);
        var ids = fields.Find("messages") is not null
            ? prompts.Chat(
                ChatMessages.Parse(fields), InferenceRequestParser.ParseTools(fields), fields.Bool("add_generation_prompt") ?? true,
                InferenceRequestParser.ParseTemplateArguments(fields))
            : prompts.Encode(fields.String("prompt") ?? throw new BadRequestException("'prompt' or 'messages' is required", "prompt"), fields.Bool("add_special_tokens") ?? true);
        json.WriteStartObject();
        json.WriteNumber("count", ids.Length);
        json.WriteNumber("max_model_len", model.MaxModelLength);
        json.WriteStartArray("tokens");
        foreach (var id in ids) json.WriteNumberValue(id);
        json.WriteEndArray();
        if (fields.Bool("return_token_strs") is true)
        {
            json.WriteStartArray("token_strs");
            foreach (var id in ids) json.WriteStringValue(model.Tokenizer!.TokenText(id));
            json.WriteEndArray();
        }
        else
        {
            json.WriteNull("token_strs");
        }
        json.WriteEndObject();
    }

    private static void Detokenize(Utf8JsonWriter json, JsonFields fields, ServedModel model)
    {
        if (fields.Find("tokens") is null) throw new BadRequestException("'tokens' is required", "tokens");
        var ids = fields.Ints("tokens", MostIds);
        if (ids.Any(id => id < 0 || id >= model.Runner.Model.VocabSize)) throw new BadRequestException($"'tokens' must be between 0 and {model.Runner.Model.VocabSize - 1}", "tokens", EngineRejectedException.InvalidToken);
        json.WriteStartObject();
        json.WriteString("prompt", model.Tokenizer!.Decode(ids, skipSpecialTokens: false));
        json.WriteEndObject();
    }
}
