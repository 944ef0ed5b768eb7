using System.Text.Json.Nodes;
using NanoAspire.Engine.Text;

namespace NanoAspire.Tests.Text;

public sealed class DemoModelTests
{
    private static readonly JsonArray Cases = JsonNode.Parse(File.ReadAllText(Path.Combine(RepositoryPaths.Goldens, "nano-demo", "expected.json")))!["cases"]!.AsArray();

    [Fact]
    public void Renders_and_tokenizes_the_prompts_it_was_trained_on()
    {
        var template = ChatTemplate.Load(RepositoryPaths.DemoModel)!;
        var tokenizer = Tokenizer.Load(RepositoryPaths.DemoModel);
        Assert.NotEmpty(Cases);
        Assert.All(Cases, item =>
        {
            var prompt = template.Render(item!["messages"]!.AsArray(), item["tools"] as JsonArray, addGenerationPrompt: true);
            Assert.Equal(item["rendered"]!.GetValue<string>(), prompt);
            Assert.Equal(Ids(item["prompt_token_ids"]!), tokenizer.Encode(prompt, addSpecialTokens: false));
        });
    }

    [Fact]
    public void Decodes_the_answers()
    {
        var tokenizer = Tokenizer.Load(RepositoryPaths.DemoModel);
        Assert.All(Cases, item => Assert.Equal(item!["text"]!.GetValue<string>(), tokenizer.Decode(Ids(item["token_ids"]!), skipSpecialTokens: true)));
    }

    private static int[] Ids(JsonNode ids) => [.. ids.AsArray().Select(id => id!.GetValue<int>())];
}
