using System.Net;
using NanoAspire.Ctrl.Tests.Support;

namespace NanoAspire.Ctrl.Tests.Api;

public sealed class WatchTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private CtrlServer? _server;

    private CtrlServer Server => _server!;

    public async ValueTask InitializeAsync() => _server = await CtrlServer.StartAsync(new CtrlOptions { MaxWatchers = 2 }, _time);

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    [Fact]
    public async Task A_watch_begins_with_the_present_revision_and_follows_registration_removal_and_lapse()
    {
        await RegisterAsync("a");
        await using var watch = await OpenAsync("/v1/watch?scope=s&entity_type=service");
        Assert.Equal(1, await watch.NextAsync());
        await RegisterAsync("b");
        Assert.Equal(2, await watch.NextAsync());
        await Server.OkAsync("/unregister", """{"entity_id":"b","scope":"s"}""");
        Assert.Equal(3, await watch.NextAsync());
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(4, await watch.NextAsync());
    }

    [Fact]
    public async Task Other_scopes_and_types_say_nothing()
    {
        await using var watch = await OpenAsync("/v1/watch?scope=s");
        Assert.Equal(0, await watch.NextAsync());
        await Server.OkAsync("/register", """{"entity_id":"x","kind":"k"}""");
        await Server.OkAsync("/register", """{"entity_id":"x","kind":"k","scope":"s","entity_type":"job"}""");
        await RegisterAsync("a");
        Assert.Equal(1, await watch.NextAsync());
    }

    [Fact]
    public async Task A_watcher_that_comes_back_hears_only_whether_it_missed_something()
    {
        await RegisterAsync("a");
        await using var current = await OpenAsync("/v1/watch?scope=s&after=1");
        await using var behind = await OpenAsync("/v1/watch?scope=s", lastEventId: "0");
        Assert.Equal(1, await behind.NextAsync());
        await RegisterAsync("b");
        Assert.Equal(2, await current.NextAsync());
    }

    [Fact]
    public async Task A_silent_watch_is_kept_alive()
    {
        await using var watch = await OpenAsync("/v1/watch?scope=s");
        Assert.Equal(0, await watch.NextAsync());
        var comment = watch.NextCommentAsync();
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            return comment.IsCompleted;
        }, "a keep-alive comment");
    }

    [Fact]
    public async Task Watchers_beyond_the_limit_are_refused_and_places_are_given_back()
    {
        var first = await OpenAsync("/v1/watch");
        await using var second = await OpenAsync("/v1/watch");
        using (var refused = await Server.Http.GetAsync("/v1/watch", HttpCompletionOption.ResponseHeadersRead)) Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        await first.DisposeAsync();
        await Eventually.TrueAsync(async () =>
        {
            using var again = await Server.Http.GetAsync("/v1/watch", HttpCompletionOption.ResponseHeadersRead);
            return again.StatusCode == HttpStatusCode.OK;
        }, "a free place");
    }

    [Theory]
    [InlineData("/v1/watch?scope=a*")]
    [InlineData("/v1/watch?entity_type=stream")]
    public async Task A_watch_of_an_unusable_name_is_refused(string path)
    {
        using var response = await Server.Http.GetAsync(path);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
    }

    private Task<System.Text.Json.JsonElement> RegisterAsync(string id) => Server.OkAsync("/register", $$"""{"entity_id":"{{id}}","kind":"k","scope":"s"}""");

    private async Task<EventStream> OpenAsync(string path, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
        var response = await Server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new EventStream(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    private sealed class EventStream(HttpResponseMessage response, StreamReader lines) : IAsyncDisposable
    {
        public async Task<long> NextAsync()
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (true)
            {
                var line = await lines.ReadLineAsync(limit.Token);
                Assert.NotNull(line);
                if (line.StartsWith("id: ", StringComparison.Ordinal)) return long.Parse(line[4..], System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        public async Task NextCommentAsync()
        {
            while (await lines.ReadLineAsync() is { } line)
                if (line.StartsWith(": ", StringComparison.Ordinal)) return;
        }

        public ValueTask DisposeAsync()
        {
            lines.Dispose();
            response.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
