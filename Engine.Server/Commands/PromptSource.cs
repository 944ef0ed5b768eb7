using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Text;

namespace NanoAspire.Engine.Server.Commands;

/// <summary>The prompt of <c>generate</c>: exactly one of text, chat message or ids.</summary>
internal sealed record PromptSource(string? Prompt, string? Chat, string? Ids)
{
    public void CheckUsage()
    {
        if ((Prompt is null ? 0 : 1) + (Chat is null ? 0 : 1) + (Ids is null ? 0 : 1) != 1)
            throw new UsageException("give exactly one of --prompt, --chat and --prompt-ids");
    }

    public int[] Read(ServedModel model)
    {
        var ids = Ids is not null ? ReadIds(Ids) : Chat is not null ? RenderChat(model) : TokenizerOf(model, "--prompt").Encode(Prompt!);
        if (ids.Length == 0) throw new UsageException("the prompt has no tokens");
        foreach (var id in ids)
            if ((uint)id >= (uint)model.Runner.Model.VocabSize)
                throw new UsageException($"token id {id} is outside the vocabulary of {model.Runner.Model.VocabSize}");
        return ids;
    }

    private int[] RenderChat(ServedModel model)
    {
        var tokenizer = TokenizerOf(model, "--chat");
        var template = model.Template ?? throw new UsageException("the model folder has no chat template; use --prompt");
        var messages = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = Chat });
        return tokenizer.Encode(template.Render(messages, null, addGenerationPrompt: true), addSpecialTokens: false);
    }

    private static Tokenizer TokenizerOf(ServedModel model, string option) =>
        model.Tokenizer ?? throw new UsageException($"the model folder has no tokenizer, so {option} cannot be used; use --prompt-ids");

    private static int[] ReadIds(string text)
    {
        if (!text.StartsWith('@'))
        {
            return [.. text.Split(',', StringSplitOptions.TrimEntries).Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                ? id
                : throw new UsageException($"--prompt-ids: '{part}' is not a token id"))];
        }
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(text[1..]));
            if (json.RootElement.ValueKind == JsonValueKind.Array)
                return [.. json.RootElement.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var id)
                    ? id
                    : throw new UsageException($"{text[1..]} must hold an array of token ids"))];
            throw new UsageException($"{text[1..]} must hold an array of token ids");
        }
        catch (JsonException e)
        {
            throw new UsageException($"{text[1..]} is not JSON: {e.Message}");
        }
    }
}
