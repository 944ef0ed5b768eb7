using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>A dialogue the demo model knows by heart, as the reference implementation answered it.</summary>
internal sealed record DemoDialogue(JsonArray Messages, JsonArray? Tools, int[] PromptIds, int[] TokenIds, string Text)
{
    public static IReadOnlyList<DemoDialogue> All { get; } = Load();

    public static DemoDialogue Prefill => All.First(dialogue => dialogue.Messages[0]!["content"]!.GetValue<string>() == "What is prefill?");

    /// <summary>The one that the model answers with a call.</summary>
    public static DemoDialogue Call => All.First(dialogue => dialogue.IsCall);

    public bool IsCall => Text.StartsWith("<tool_call>", StringComparison.Ordinal);

    /// <summary>The message says what the model wrote, as text or as a call.</summary>
    public void AssertAnswered(JsonNode choice)
    {
        var message = choice["message"]!;
        Assert.Equal(IsCall ? "tool_calls" : "stop", choice["finish_reason"]!.GetValue<string>());
        Assert.Equal(IsCall ? null : Text, message["content"]?.GetValue<string>());
        if (!IsCall)
        {
            Assert.Null(message["tool_calls"]);
            return;
        }
        var call = Assert.Single(message["tool_calls"]!.AsArray())!;
        var written = JsonNode.Parse(Text["<tool_call>".Length..^"</tool_call>".Length])!;
        Assert.Equal("function", call["type"]!.GetValue<string>());
        Assert.StartsWith("call_", call["id"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(written["name"]!.GetValue<string>(), call["function"]!["name"]!.GetValue<string>());
        Assert.True(JsonNode.DeepEquals(written["arguments"], JsonNode.Parse(call["function"]!["arguments"]!.GetValue<string>())));
    }

    private static List<DemoDialogue> Load()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(RepositoryPaths.Goldens, "nano-demo", "expected.json")));
        return [.. json.RootElement.GetProperty("cases").EnumerateArray().Select(item => new DemoDialogue(
            JsonArray.Create(item.GetProperty("messages").Clone())!,
            item.TryGetProperty("tools", out var tools) && tools.ValueKind == JsonValueKind.Array ? JsonArray.Create(tools.Clone()) : null,
            [.. item.GetProperty("prompt_token_ids").EnumerateArray().Select(id => id.GetInt32())],
            [.. item.GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32())],
            item.GetProperty("text").GetString()!))];
    }
}
