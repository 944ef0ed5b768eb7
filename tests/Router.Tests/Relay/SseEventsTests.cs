using System.Text;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Relay;

public sealed class SseEventsTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("data: a", 0)]
    [InlineData("data: a\n", 0)]
    [InlineData("data: a\n\n", 9)]
    [InlineData("data: a\n\ndata: b", 9)]
    [InlineData("data: a\r\n\r\ndata: b\r\n", 11)]
    [InlineData("data: a\n\ndata: b\r\n\r\nid", 20)]
    [InlineData("\n\n", 2)]
    public void Whole_events_end_at_a_blank_line(string text, int length) => Assert.Equal(length, SseEvents.WholeLength(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Data_is_found_among_comments_ids_and_both_line_ends()
    {
        ReadOnlySpan<byte> events = "id: 1\ndata: a\n: c\ndata:b\r\n\r\nevent: x\n\ndata: [DONE]\n\n"u8;
        List<string> data = [];
        while (SseEvents.TryNextData(ref events, out var next)) data.Add(Encoding.UTF8.GetString(next));
        Assert.Equal(["a", "b", "[DONE]"], data);
    }

    [Fact]
    public void The_tap_reads_counts_reasons_and_the_first_token_whatever_the_spacing()
    {
        var time = new ManualTimeProvider();
        var report = new RequestReport("r", time.GetTimestamp());
        var tap = new StreamTap(report, time);
        tap.See("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\n\n"u8);
        Assert.Null(report.FirstToken);
        time.Advance(TimeSpan.FromSeconds(2));
        tap.See("data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":null}]}\n\n"u8);
        tap.See("data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"length\"}]}\n\n"u8);
        tap.See("data: {\"choices\":[],\"usage\": {\"prompt_tokens\":3,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":1}}}\n\ndata: [DONE]\n\n"u8);
        Assert.Equal(TimeSpan.FromSeconds(2), report.FirstToken);
        Assert.Equal(("length", 3, 2, 1), (report.FinishReason, report.PromptTokens, report.CompletionTokens, report.CachedTokens));
        Assert.True(tap.Done);
        Assert.False(tap.Error);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("{\"usage\":7,\"choices\":{}}")]
    [InlineData("{\"choices\":[1,{\"finish_reason\":{}}]}")]
    [InlineData("{\"usage\":{\"prompt_tokens\":\"x\",\"completion_tokens\":1e400}}")]
    public void Answers_that_make_no_sense_are_not_our_business(string json)
    {
        var report = new RequestReport("r", 0);
        AnswerFacts.Read(Encoding.UTF8.GetBytes(json), report);
        Assert.Equal((null, null, null), (report.FinishReason, report.PromptTokens, report.CompletionTokens));
    }
}
