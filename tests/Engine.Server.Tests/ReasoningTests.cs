using System.Net.Http.Headers;
using System.Text.Json;
using NanoAspire.Answers;
using NanoAspire.Engine.Server.Generation;
using NanoAspire.Engine.Server.Requests;

namespace NanoAspire.Engine.Server.Tests;

public sealed class ReasoningTests
{
    [Theory]
    [InlineData("high", true)]
    [InlineData("minimal", true)]
    [InlineData("none", false)]
    public void An_effort_sets_the_switches_that_templates_know(string effort, bool thinks)
    {
        var variables = Arguments($$"""{"reasoning_effort":"{{effort}}"}""")!;
        Assert.Equal(effort, variables["reasoning_effort"]!.GetValue<string>());
        Assert.Equal(thinks, variables["enable_thinking"]!.GetValue<bool>());
        Assert.Equal(thinks, variables["thinking"]!.GetValue<bool>());
    }

    [Fact]
    public void What_the_client_tells_the_template_itself_counts()
    {
        var variables = Arguments("""{"reasoning_effort":"high","chat_template_kwargs":{"enable_thinking":false,"x":1}}""")!;
        Assert.False(variables["enable_thinking"]!.GetValue<bool>());
        Assert.Equal(1, variables["x"]!.GetValue<int>());
        Assert.True(variables["thinking"]!.GetValue<bool>());
        Assert.Null(Arguments("""{"reasoning_effort":null}"""));
    }

    [Theory]
    [InlineData(true, """{"reasoning_content":"so","reasoning":"so","content":"yes"}""")]
    [InlineData(false, """{"reasoning_content":"so","content":"yes"}""")]
    public void Reasoning_comes_under_both_names_where_asked_for(bool mirror, string expected)
    {
        using var output = new MemoryStream();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            ChatDeltaWriter.Write(json, [new(AnswerDeltaKind.Reasoning, "so"), new(AnswerDeltaKind.Content, "yes")], mirror);
            json.WriteEndObject();
        }
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public void An_earlier_thought_reaches_the_template_under_either_name()
    {
        using var body = JsonDocument.Parse("""{"messages":[{"role":"assistant","content":"a","reasoning":"so"},{"role":"assistant","content":"b","reasoning_content":"thus","reasoning":"no"}]}""");
        var messages = ChatMessages.Parse(new JsonFields(body.RootElement));
        Assert.Equal(["so", "thus"], messages.Select(message => message!["reasoning_content"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_the_clients_mistake()
    {
        await using var engine = await RunningEngine.StartAsync();
        foreach (var path in (string[])["/v1/chat/completions", "/v1/completions", "/tokenize"])
        {
            using var content = new ByteArrayContent([.. """{"model":"nano-demo","prompt":"x","messages":[{"role":"user","content":" """u8, 0xFF, 0xFE, .. "\"}]}"u8]);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var response = await engine.Http.PostAsync(path, content);
            Assert.Equal(400, (int)response.StatusCode);
            Assert.Contains("UTF-8", await response.Content.ReadAsStringAsync());
        }
    }

    private static System.Text.Json.Nodes.JsonObject? Arguments(string json)
    {
        using var body = JsonDocument.Parse(json);
        return InferenceRequestParser.ParseTemplateArguments(new JsonFields(body.RootElement.Clone()));
    }
}
