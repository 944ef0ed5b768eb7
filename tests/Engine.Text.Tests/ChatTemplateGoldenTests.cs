using System.Text.Json.Nodes;
using NanoAspire.Engine.Text;

namespace NanoAspire.Tests.Text;

/// <summary>
/// Published templates against what transformers renders. The templates are not ours to copy: they are looked for in the folder of
/// NANOASPIRE_CHAT_TEMPLATES, else in ../shared/goldens/chat-templates beside the checkout.
/// </summary>
public sealed class ChatTemplateGoldenTests
{
    public const string Reason = "needs the published chat templates: set NANOASPIRE_CHAT_TEMPLATES to their folder";

    private static readonly string Folder = Environment.GetEnvironmentVariable("NANOASPIRE_CHAT_TEMPLATES") is { Length: > 0 } folder
        ? folder : Path.Combine(RepositoryPaths.Root, "..", "shared", "goldens", "chat-templates");

    /// <summary>In CI a missing folder is a failure, not a skip.</summary>
    public static bool Available => Environment.GetEnvironmentVariable("CI") is "true" or "1" || File.Exists(Path.Combine(Folder, "cases.json"));

    [Fact(Skip = Reason, SkipUnless = nameof(Available)), Trait("needs", "chat-templates")]
    public void Renders_every_case_as_the_reference_does()
    {
        var cases = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "cases.json")))!.AsArray();
        Assert.True(cases.Count >= 137);
        var templates = new Dictionary<(string, string), ChatTemplate>();
        Assert.All(cases, item =>
        {
            var key = (item!["template"]!.GetValue<string>(), item["special_tokens"]!.ToJsonString());
            if (!templates.TryGetValue(key, out var template))
            {
                var tokens = item["special_tokens"]!.AsObject().ToDictionary(pair => pair.Key, pair => pair.Value!.GetValue<string>());
                templates[key] = template = ChatTemplate.Parse(File.ReadAllText(Path.Combine(Folder, key.Item1)), tokens);
            }
            var extra = item["kwargs"]!.DeepClone().AsObject();
            var generate = extra["add_generation_prompt"]!.GetValue<bool>();
            extra.Remove("add_generation_prompt");
            string Render() => template.Render(item["messages"]!.AsArray(), item["tools"] as JsonArray, generate, extra);

            if (item["expected_error"] is { } error)
            {
                var raised = Assert.Throws<ChatTemplateException>(Render);
                Assert.True(raised.RaisedByTemplate);
                Assert.Equal(error.GetValue<string>(), raised.Message);
            }
            else
            {
                Assert.Equal(item["expected"]!.GetValue<string>(), Render());
            }
        });
    }
}
