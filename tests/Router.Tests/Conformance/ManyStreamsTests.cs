using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

public sealed class ManyStreamsTests
{
    [Fact]
    public async Task Two_thousand_streams_are_open_at_once_and_all_complete()
    {
        const int Streams = 2000;
        await using var prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        await using var decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        decode.Answer = Replies.HelloThen(async http =>
        {
            await gate.Task;
            await Replies.SendAsync(http, Replies.Chunk("""{"content":" world"}""") + "data: [DONE]\n\n");
        });
        // Setting up so many connections at once takes longer than a health probe or a connect may on a busy machine.
        var options = TestRouter.Defaults with
        {
            Probe = new() { Interval = TimeSpan.FromMinutes(1) },
            Deadlines = new() { Connect = TimeSpan.FromSeconds(30) },
        };
        await using var router = await TestRouter.StartAsync(options, prefill, decode);
        var texts = Enumerable.Range(0, Streams).Select(async _ =>
        {
            using var response = await router.ChatAsync(TestRouter.UserHiStreamed);
            await using var stream = await SseReader.OpenAsync(response);
            return SseReader.Content(await stream.RestAsync());
        }).ToArray();
        await Eventually.Async(() => router.NodeOf(decode).InFlight == Streams && decode.Completions.Count == Streams, TimeSpan.FromSeconds(90));
        gate.SetResult();
        Assert.All(await Task.WhenAll(texts), text => Assert.Equal("hello world", text));
        await router.QuietAsync();
        Assert.Equal(Streams, prefill.Frees.Sum(free => free.Body["seq_ids"]!.AsArray().Count));
    }
}
