using System.Net;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Strategies as a client sees them, over sockets; what they compute is tested beside them.</summary>
public sealed class RoutingTests : IAsyncLifetime
{
    private ScriptedEngine _h1 = null!;
    private ScriptedEngine _h2 = null!;

    public async ValueTask InitializeAsync() => (_h1, _h2) = (await ScriptedEngine.StartAsync(), await ScriptedEngine.StartAsync());

    public async ValueTask DisposeAsync()
    {
        await _h1.DisposeAsync();
        await _h2.DisposeAsync();
    }

    [Fact]
    public async Task A_session_stays_on_its_engine_and_few_move_when_one_joins()
    {
        const int Sessions = 300;
        await using var h3 = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(With("consistent_hash"), _h1, _h2);

        for (var i = 0; i < 20; i++) await AskAsync(router, TestRouter.UserHi, ("x-session-id", "u"));
        Assert.Contains(20, new[] { _h1.Completions.Count, _h2.Completions.Count });

        var before = await PlaceAsync(router, [_h1, _h2], Sessions);
        router.Engines.Set(_h1.Descriptor, _h2.Descriptor, h3.Descriptor);
        var after = await PlaceAsync(router, [_h1, _h2, h3], Sessions);
        var moved = Enumerable.Range(0, Sessions).Where(i => before[i] != after[i]).ToArray();
        Assert.InRange(moved.Length, Sessions * 20 / 100, Sessions * 45 / 100);
        Assert.All(moved, i => Assert.Same(h3, after[i]));

        using var plain = await router.ChatAsync("""{"model":"m1","prompt":"no key"}""", "/v1/completions");
        Assert.Equal(HttpStatusCode.OK, plain.StatusCode);
    }

    [Fact]
    public async Task One_common_word_is_no_reason_to_share_an_engine()
    {
        await using var router = await TestRouter.StartAsync(With("cache_aware"), _h1, _h2);
        for (var i = 0; i < 50; i++)
        {
            var rest = string.Concat(Enumerable.Range(0, 40).Select(word => $" w{i * 977 + word}"));
            await AskAsync(router, Chat("Hello" + rest));
        }
        Assert.InRange(_h1.Completions.Count, 20, 30);
    }

    [Fact]
    public async Task A_long_common_beginning_is_until_its_engine_has_too_much_to_do()
    {
        var beginning = string.Concat(Enumerable.Range(0, 400).Select(i => $"{i % 97:00}abc"));
        await using var router = await TestRouter.StartAsync(With("cache_aware"), _h1, _h2);
        for (var i = 0; i < 20; i++) await AskAsync(router, Chat($"{beginning} {i}"));
        var (home, other) = _h1.Completions.Count > _h2.Completions.Count ? (_h1, _h2) : (_h2, _h1);
        Assert.InRange(home.Completions.Count, 19, 20);

        var gate = new TaskCompletionSource();
        _h1.Answer = _h2.Answer = async (http, request) =>
        {
            await gate.Task.WaitAsync(http.RequestAborted);
            await Replies.HelloWorld(http, request);
        };
        var before = other.Completions.Count;
        List<Task<HttpResponseMessage>> held = [];
        for (var i = 0; i < 40; i++)
        {
            held.Add(router.ChatAsync(Chat($"{beginning} held {i}")));
            var sent = held.Count + 20;
            await Eventually.Async(() => _h1.Completions.Count + _h2.Completions.Count == sent);
        }
        Assert.True(other.Completions.Count > before, "all forty went to one engine");
        Assert.True(home.Completions.Count - 20 > 30, "the beginning did not count");
        var atHome = home.Completions.Count;
        held.Add(router.ChatAsync(Chat($"{beginning} one more")));
        await Eventually.Async(() => _h1.Completions.Count + _h2.Completions.Count == 61);
        Assert.Equal(atHome, home.Completions.Count);
        gate.SetResult();
        foreach (var response in await Task.WhenAll(held)) response.Dispose();
    }

    [Fact]
    public async Task An_engine_three_times_as_fast_gets_three_times_as_much()
    {
        var time = new ManualTimeProvider();
        await using var router = await TestRouter.StartAsync(With("min_expected_latency"), services => services.AddSingleton<TimeProvider>(time), _h1, _h2);
        var gate = new TaskCompletionSource();
        foreach (var (engine, slowness) in ((ScriptedEngine, int)[])[(_h1, 3), (_h2, 1)])
        {
            engine.Answer = async (http, request) =>
            {
                time.Advance(TimeSpan.FromSeconds(slowness));   // what the router sees of the engine's speed
                await Replies.HelloWorld(http, request);
            };
        }
        // The first two measure one engine each: one that is not measured counts as equal, and equals take turns.
        for (var i = 0; i < 2; i++) await AskAsync(router, TestRouter.UserHiStreamed);
        Assert.Equal((1, 1), (_h1.Completions.Count, _h2.Completions.Count));

        foreach (var engine in (ScriptedEngine[])[_h1, _h2])
        {
            engine.Answer = async (http, request) =>
            {
                await gate.Task.WaitAsync(http.RequestAborted);
                await Replies.HelloWorld(http, request);
            };
        }
        List<Task<HttpResponseMessage>> held = [];
        for (var i = 0; i < 40; i++)
        {
            held.Add(router.ChatAsync(TestRouter.UserHiStreamed));
            var sent = held.Count + 2;
            await Eventually.Async(() => _h1.Completions.Count + _h2.Completions.Count == sent);
        }
        Assert.InRange(_h2.Completions.Count - 1, 28, 32);
        gate.SetResult();
        foreach (var response in await Task.WhenAll(held)) response.Dispose();
    }

    private static RouterOptions With(string strategy) => TestRouter.Defaults with { Strategy = StrategyOptions.Same(strategy), Probe = new ProbeOptions { Down = 1000 } };

    private static string Chat(string text) => $$"""{"model":"m1","messages":[{"role":"user","content":"{{text}}"}]}""";

    /// <summary>One request after the other: none finds the one before still counted.</summary>
    private static async Task AskAsync(TestRouter router, string body, params (string, string)[] headers)
    {
        using var response = await router.ChatAsync(body, headers: headers);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await response.Content.ReadAsStringAsync();
        await router.QuietAsync();
    }

    /// <summary>Which engine each of the sessions goes to.</summary>
    private static async Task<ScriptedEngine[]> PlaceAsync(TestRouter router, ScriptedEngine[] engines, int sessions)
    {
        var placed = new ScriptedEngine[sessions];
        for (var i = 0; i < sessions; i++)
        {
            var counts = engines.Select(engine => engine.Completions.Count).ToArray();
            await AskAsync(router, TestRouter.UserHi, ("x-session-id", $"session-{i}"));
            placed[i] = engines.Where((engine, index) => engine.Completions.Count > counts[index]).Single();
        }
        return placed;
    }
}
