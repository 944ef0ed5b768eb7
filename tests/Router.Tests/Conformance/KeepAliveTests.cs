using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Streams whose first byte takes long.</summary>
public sealed class KeepAliveTests
{
    [Fact]
    public async Task A_long_prefill_is_bridged_by_comments_and_the_stream_follows()
    {
        await using var scene = await Scene.StartAsync();
        using var response = await scene.WaitForCommentAsync();
        scene.Gate.SetResult(true);
        var rest = await response.Content.ReadAsStringAsync();
        Assert.StartsWith(": keep-alive\n\n", rest, StringComparison.Ordinal);
        var events = Data(rest);
        Assert.Equal("hello world", SseReader.Content(events));
        Assert.Equal("[DONE]", events[^1]);
        Assert.True(response.Headers.Contains("x-request-id"));
    }

    [Fact]
    public async Task What_fails_after_a_comment_is_told_as_an_event()
    {
        await using var scene = await Scene.StartAsync();
        using var response = await scene.WaitForCommentAsync();
        scene.Gate.SetResult(false);
        var data = Assert.Single(Data(await response.Content.ReadAsStringAsync()));
        Assert.Equal("node_failed", (string?)JsonNode.Parse(data)!["error"]!["code"]);
    }

    [Fact]
    public async Task A_whole_answer_gets_none()
    {
        await using var scene = await Scene.StartAsync();
        var waiting = scene.Router.ChatAsync(TestRouter.UserHi);
        await scene.Prefill.SeenAsync(engine => engine.Completions.Count == 1);
        scene.Time.Advance(TimeSpan.FromSeconds(40));
        scene.Gate.SetResult(true);
        using var response = await waiting;
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("hello world", (string?)(await TestRouter.JsonAsync(response))["choices"]![0]!["message"]!["content"]);
    }

    private static List<string> Data(string stream) =>
        [.. stream.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line[6..])];

    /// <summary>A prefill engine that answers when the gate opens: with a hand-off, or with a failure.</summary>
    private sealed record Scene(ManualTimeProvider Time, ScriptedEngine Prefill, ScriptedEngine Decode, TestRouter Router) : IAsyncDisposable
    {
        public TaskCompletionSource<bool> Gate { get; } = new();

        public static async Task<Scene> StartAsync()
        {
            var time = new ManualTimeProvider();
            var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
            var decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
            var router = await TestRouter.StartAsync(TestRouter.Defaults, services => services.AddSingleton<TimeProvider>(time), prefill, decode);
            var scene = new Scene(time, prefill, decode, router);
            prefill.Answer = async (http, request) => await (await scene.Gate.Task.WaitAsync(http.RequestAborted) ? Replies.Parked() : Replies.Error(500))(http, request);
            return scene;
        }

        public async Task<HttpResponseMessage> WaitForCommentAsync()
        {
            var waiting = Router.ChatAsync(TestRouter.UserHiStreamed);
            await Prefill.SeenAsync(engine => engine.Completions.Count == 1);
            Time.Advance(TimeSpan.FromSeconds(15));
            return await waiting;   // the headers come with the comment: nothing else can have been sent
        }

        public async ValueTask DisposeAsync()
        {
            await Router.DisposeAsync();
            await Prefill.DisposeAsync();
            await Decode.DisposeAsync();
        }
    }
}
