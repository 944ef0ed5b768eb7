using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>A dialogue the demo model knows by heart, as the reference implementation answered it.</summary>
internal sealed record DemoDialogue(JsonArray Messages, JsonArray? Tools, int[] PromptIds, int[] TokenIds, string Text)
{
    public static IReadOnlyList<DemoDialogue> All { get; } = Load();

    public static DemoDialogue Prefill => All.First(dialogue => dialogue.Messages[0]!["content"]!.GetValue<string>() == "What is prefill?");

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
