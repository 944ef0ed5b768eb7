using System.Text.Json.Nodes;
using NanoAspire.Engine.Text;

namespace NanoAspire.Tests.Text;

public sealed class ChatTemplateTests
{
    private static readonly JsonArray Hello = JsonNode.Parse("""[{"role":"user","content":"Hi"}]""")!.AsArray();

    [Fact]
    public void A_folder_without_a_template_has_none()
    {
        using var bare = TokenizerFolder.Write(json: null);
        Assert.Null(ChatTemplate.Load(bare.FolderPath));
        using var other = TokenizerFolder.Write(json: null, config: """{"eos_token":"</s>","chat_template":null}""");
        Assert.Null(ChatTemplate.Load(other.FolderPath));
    }

    [Fact]
    public void The_file_comes_before_the_configuration()
    {
        using var folder = TokenizerFolder.Write(json: null, config: """{"eos_token":{"content":"</s>"},"chat_template":"config {{ eos_token }}"}""");
        Assert.Equal("config </s>", Load(folder).Render(Hello, null, false));
        File.WriteAllText(Path.Combine(folder.FolderPath, "chat_template.jinja"), "file {{ messages[0].content }}{{ eos_token }}\n");
        Assert.Equal("file Hi</s>", Load(folder).Render(Hello, null, false));
    }

    [Fact]
    public void Of_a_list_tools_choose_the_one_for_tools()
    {
        using var folder = TokenizerFolder.Write(json: null, config: """{"chat_template":[{"name":"default","template":"plain"},{"name":"tool_use","template":"tools {{ tools | length }}"},{"name":"rag","template":"rag"}]}""");
        var template = Load(folder);
        Assert.Equal("plain", template.Render(Hello, null, false));
        Assert.Equal("tools 0", template.Render(Hello, [], false));
    }

    [Fact]
    public void Has_the_variables_that_apply_chat_template_sets()
    {
        var template = ChatTemplate.Parse("{{ messages | length }} {{ tools }} {{ documents }} {{ add_generation_prompt }} {{ bos_token }} {{ eos_token is defined }} {{ enable_thinking }}",
            new Dictionary<string, string> { ["bos_token"] = "<s>" });
        Assert.Equal("1 None None True <s> False False", template.Render(Hello, null, true, new JsonObject { ["enable_thinking"] = false }));
    }

    [Fact]
    public void Extra_variables_cannot_replace_the_conversation()
    {
        var template = ChatTemplate.Parse("{{ messages | length }}{{ bos_token }}{{ tools }}", new Dictionary<string, string> { ["bos_token"] = "<s>" });
        var extra = JsonNode.Parse("""{"messages":[],"tools":[1],"bos_token":"<b>"}""")!.AsObject();
        Assert.Equal("1<b>None", template.Render(Hello, null, false, extra));
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("1.0", "1.0")]
    [InlineData("-0.0", "-0.0")]
    [InlineData("1e3", "1000.0")]
    [InlineData("12345678901234567890123", "12345678901234567890123")]
    [InlineData("1e400", "inf")]
    [InlineData("\"\\ud83d\\ude00\"", "😀")]
    [InlineData("null", "None")]
    public void Json_numbers_keep_their_kind(string json, string expected) =>
        Assert.Equal(expected, ChatTemplate.Parse("{{ x }}").Render(Hello, null, false, JsonNode.Parse($"{{\"x\":{json}}}")!.AsObject()));

    [Theory]
    [InlineData("""[{"a":1,"a":2}]""", "an object repeats a name")]
    [InlineData("""[{"a":"\ud800"}]""", "a string has half a surrogate pair")]
    [InlineData("""["\udc00"]""", "a string has half a surrogate pair")]
    public void Json_that_only_fails_when_it_is_read_is_refused(string messages, string complaint)
    {
        var error = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse("x").Render(JsonNode.Parse(messages)!.AsArray(), null, false));
        Assert.Contains(complaint, error.Message);
    }

    [Fact]
    public void Values_that_were_never_text_keep_their_kind_too()
    {
        var extra = new JsonObject { ["i"] = 1, ["d"] = 1.0, ["l"] = long.MaxValue, ["b"] = true, ["s"] = "x", ["m"] = 2.5m };
        Assert.Equal("1 1.0 9223372036854775807 True x 2.5", ChatTemplate.Parse("{{ i }} {{ d }} {{ l }} {{ b }} {{ s }} {{ m }}").Render(Hello, null, false, extra));
    }

    [Theory]
    [InlineData("%Y-%m-%d %H:%M:%S", "2026-03-04 15:06:07")]
    [InlineData("%d %b %Y, %A %B", "04 Mar 2026, Wednesday March")]
    [InlineData("%-d/%-m %I%p %j %y %a %e %U %W %V %u %w %F %T %f", "4/3 03PM 063 26 Wed  4 09 09 10 3 3 2026-03-04 15:06:07 008000")]
    [InlineData("100%% %q %", "100% %q %")]
    public void Tells_the_time(string format, string expected)
    {
        var template = ChatTemplate.Parse($"{{{{ strftime_now('{format}') }}}}", time: new FixedTime());
        Assert.Equal(expected, template.Render(Hello, null, false));
    }

    [Fact]
    public void One_template_serves_many_threads()
    {
        var template = ChatTemplate.Parse("{% set ns = namespace(n=0) %}{% for i in range(50) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}{{ messages[0].content }}");
        Parallel.For(0, 200, i =>
        {
            var messages = new JsonArray(new JsonObject { ["content"] = i.ToString() });
            Assert.Equal("1225" + i, template.Render(messages, null, false));
        });
    }

    [Fact]
    public void A_malformed_template_is_refused_when_it_is_loaded()
    {
        using var folder = TokenizerFolder.Write(json: null, config: """{"chat_template":"{% if %}"}""");
        var error = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Load(folder.FolderPath));
        Assert.Equal("chat template, line 1: expected an expression, got end of statement block", error.Message);
        Assert.False(error.RaisedByTemplate);
        Assert.Equal(1, error.Line);
    }

    private static ChatTemplate Load(TokenizerFolder folder) => ChatTemplate.Load(folder.FolderPath)!;

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
        public override DateTimeOffset GetUtcNow() => new(2026, 3, 4, 15, 6, 7, 8, TimeSpan.Zero);
    }
}
