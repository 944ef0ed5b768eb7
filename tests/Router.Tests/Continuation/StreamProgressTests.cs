using System.Text;
using NanoAspire.Router.Continuation;

namespace NanoAspire.Router.Tests.Continuation;

public sealed class StreamProgressTests
{
    [Theory]
    [InlineData("""{"id":"a","choices":[{"index":0,"text":"x","token_ids":[1]}]}""", """{"id":"a","choices":[{"index":0,"text":"x"}]}""")]
    [InlineData("""{"choices":[{"token_ids": [1, 2] , "index":0,"text":"x"}],"id":"a"}""", """{"choices":[{ "index":0,"text":"x"}],"id":"a"}""")]
    [InlineData("""{"id":"a","choices":[{"text":"x\"token_ids\":[9]","index":0,"token_ids":[1]}]}""", """{"id":"a","choices":[{"text":"x\"token_ids\":[9]","index":0}]}""")]
    [InlineData("""{"id":"a","choices":[{"delta":{"content":"x"},"token_ids":[1],"prompt_token_ids":[5]}]}""", """{"id":"a","choices":[{"delta":{"content":"x"}}]}""")]
    public void Token_ids_are_taken_out_wherever_they_stand(string sent, string expected)
    {
        Assert.Equal($"data: {expected}\n\n", Pass(new StreamProgress(clientWantsTokens: false), $"data: {sent}\n\n"));
    }

    [Theory]
    [InlineData("""{"delta":{"content":"x"},"finish_reason":null,"token_ids":[7]}""", """{"delta":{"content":"x"},"finish_reason":null}""")]
    [InlineData("""{"delta":{"content":",\"token_ids\":[9]"},"finish_reason":null,"token_ids":[7]}""", """{"delta":{"content":",\"token_ids\":[9]"},"finish_reason":null}""")]
    [InlineData("""{"delta":{"content":"x"},"finish_reason":null,"token_ids":[7],"n":1}""", """{"delta":{"content":"x"},"finish_reason":null,"n":1}""")]
    [InlineData("""{"delta":{"content":""},"finish_reason":null,"token_ids":[7]}""", null)]
    [InlineData("""{"delta":{"content":"x"},"finish_reason":"stop","token_ids":[7]}""", """{"delta":{"content":"x"},"finish_reason":"stop"}""")]
    public void Usual_events_read_the_same_as_all_others(string choice, string? expected)
    {
        var progress = new StreamProgress(clientWantsTokens: false);
        Pass(progress, "data: {\"id\":\"a\",\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n");
        Assert.Equal(expected is null ? "" : $"data: {{\"id\":\"a\",\"choices\":[{expected}]}}\n\n", Pass(progress, $"data: {{\"id\":\"a\",\"choices\":[{choice}]}}\n\n"));
        Assert.Equal("[7]", progress.TokensJson);
        Assert.Equal(choice.Contains("stop", StringComparison.Ordinal), progress.Finished);
    }

    [Fact]
    public void What_has_no_tokens_passes_byte_for_byte()
    {
        const string events = ": comment\n\nid: 5\r\ndata: {\"choices\" : [ ] }\r\n\r\ndata: [DONE]\n\n";
        var progress = new StreamProgress(clientWantsTokens: false);
        Assert.Equal(events, Pass(progress, events));
        Assert.True(progress.Known);
    }

    [Fact]
    public void Output_of_unknown_tokens_cannot_be_continued()
    {
        var progress = new StreamProgress(clientWantsTokens: false);
        Pass(progress, "data: {\"choices\":[{\"text\":\"x\"}]}\n\n");
        Assert.False(progress.Known);
    }

    [Fact]
    public void The_rest_carries_the_first_id_and_no_second_opening()
    {
        var progress = new StreamProgress(clientWantsTokens: false);
        Pass(progress, "data: {\"id\":\"first\",\"created\":1,\"choices\":[{\"delta\":{\"content\":\"x\"},\"token_ids\":[3]}]}\n\n");
        progress.Move();
        Assert.Equal("", Pass(progress, "data: {\"id\":\"second\",\"created\":2,\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"));
        Assert.Equal(
            "data: {\"created\":1,\"id\":\"first\",\"choices\":[{\"delta\":{\"content\":\"y\"}}]}\n\n",
            Pass(progress, "data: {\"created\":2,\"id\":\"second\",\"choices\":[{\"delta\":{\"content\":\"y\"},\"token_ids\":[4]}]}\n\n"));
        Assert.Equal("[3,4]", progress.TokensJson);
    }

    [Fact]
    public void A_failure_in_the_stream_is_not_shown()
    {
        var progress = new StreamProgress(clientWantsTokens: false);
        var passed = progress.Pass(Encoding.UTF8.GetBytes("data: [1]\n\ndata: {\"error\":{\"message\":\"x\"}}\n\n"), out var failed);
        Assert.True(failed);
        Assert.Equal("data: [1]\n\n", Encoding.UTF8.GetString(passed.Span));
    }

    private static string Pass(StreamProgress progress, string events) => Encoding.UTF8.GetString(progress.Pass(Encoding.UTF8.GetBytes(events), out _).Span);
}
