using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.ServiceDefaults.Resilience;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace NanoAspire.ServiceDefaults.Tests.Resilience;

public sealed class ResilienceTests
{
    private static readonly HttpRequestException Refused = new(HttpRequestError.ConnectionError);
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.RequestTimeout)]
    public async Task Control_call_is_repeated_with_its_body_until_it_succeeds(HttpStatusCode transient)
    {
        var bodies = new List<string>();
        await using var provider = Provider(http => http.AddControlResilience(), async (attempt, request, ct) =>
        {
            bodies.Add(await request.Content!.ReadAsStringAsync(ct));
            return new HttpResponseMessage(attempt < 2 ? transient : HttpStatusCode.OK);
        });
        using var once = new StreamContent(new MemoryStream("heartbeat"u8.ToArray()));
        var call = Client(provider).PostAsync("http://ctrl/", once);
        await AdvanceUntilDoneAsync(call);
        Assert.Equal(HttpStatusCode.OK, (await call).StatusCode);
        Assert.Equal(["heartbeat", "heartbeat", "heartbeat"], bodies);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.Conflict)]
    public async Task Control_call_that_is_refused_for_good_is_not_repeated(HttpStatusCode final)
    {
        var attempts = 0;
        await using var provider = Provider(http => http.AddControlResilience(), (_, _, _) =>
        {
            attempts++;
            return Task.FromResult(new HttpResponseMessage(final));
        });
        Assert.Equal(final, (await Client(provider).GetAsync("http://ctrl/")).StatusCode);
        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task Control_call_gives_up_after_three_retries_with_the_last_answer()
    {
        var attempts = 0;
        await using var provider = Provider(http => http.AddControlResilience(), (_, _, _) =>
        {
            attempts++;
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.BadGateway));
        });
        var call = Client(provider).GetAsync("http://ctrl/");
        await AdvanceUntilDoneAsync(call);
        Assert.Equal(HttpStatusCode.BadGateway, (await call).StatusCode);
        Assert.Equal(4, attempts);
    }

    [Fact]
    public async Task Control_call_waits_as_long_as_the_server_asks()
    {
        await using var provider = Provider(http => http.AddControlResilience(), (attempt, _, _) =>
        {
            var response = new HttpResponseMessage(attempt == 0 ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK);
            if (attempt == 0) response.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(7));
            return Task.FromResult(response);
        });
        var call = Client(provider).GetAsync("http://ctrl/");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!_time.Pending.Contains(TimeSpan.FromSeconds(7))) await _time.WaitForTimerAsync(patience.Token);
        Assert.False(call.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(HttpStatusCode.OK, (await call).StatusCode);
    }

    [Fact]
    public async Task Control_call_to_a_silent_server_ends_within_its_total_time()
    {
        await using var provider = Provider(http => http.AddControlResilience(), async (_, _, ct) =>
        {
            await Task.Delay(Timeout.Infinite, ct);
            return new HttpResponseMessage();
        });
        var started = _time.GetUtcNow();
        var call = Client(provider).GetAsync("http://ctrl/");
        await AdvanceUntilDoneAsync(call);
        await Assert.ThrowsAsync<TimeoutRejectedException>(() => call);
        Assert.InRange(_time.GetUtcNow() - started, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(31));
    }

    [Fact]
    public async Task Retry_of_a_control_call_goes_to_the_next_address()
    {
        var hosts = new List<string>();
        await using var provider = Provider(http => http.AddServiceDiscovery().AddControlResilience(), (attempt, request, _) =>
        {
            hosts.Add(request.RequestUri!.Host);
            return Task.FromResult(new HttpResponseMessage(attempt == 0 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK));
        }, ("Services:ctrl:http:0", "http://a"), ("Services:ctrl:http:1", "http://b"));
        var call = Client(provider).GetAsync("http://ctrl/");
        await AdvanceUntilDoneAsync(call);
        Assert.Equal(HttpStatusCode.OK, (await call).StatusCode);
        Assert.Equal(["a", "b"], hosts);
    }

    [Fact]
    public async Task Inference_call_is_sent_again_when_nobody_accepted_the_connection()
    {
        await using var provider = Provider(http => http.AddInferenceResilience(), (attempt, _, _) =>
            attempt == 0 ? throw Refused : Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)));
        var call = Client(provider).PostAsync("http://e/", new StringContent("{}"));
        await AdvanceUntilDoneAsync(call);
        Assert.Equal(HttpStatusCode.OK, (await call).StatusCode);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 3)]
    public async Task Inference_call_broken_midway_is_repeated_only_when_marked(bool idempotent, int expectedAttempts)
    {
        var attempts = 0;
        await using var provider = Provider(http => http.AddInferenceResilience(), (_, _, _) =>
        {
            attempts++;
            throw new HttpRequestException(HttpRequestError.ResponseEnded);
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://e/") { Content = new StringContent("{}") };
        request.Options.Set(InferenceRequest.IsIdempotent, idempotent);
        var call = Client(provider).SendAsync(request);
        await AdvanceUntilDoneAsync(call);
        await Assert.ThrowsAsync<HttpRequestException>(() => call);
        Assert.Equal(expectedAttempts, attempts);
    }

    [Fact]
    public async Task Inference_error_answers_are_handed_on_unrepeated()
    {
        var attempts = 0;
        await using var provider = Provider(http => http.AddInferenceResilience(), (_, _, _) =>
        {
            attempts++;
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.InternalServerError));
        });
        Assert.Equal(HttpStatusCode.InternalServerError, (await Client(provider).GetAsync("http://e/")).StatusCode);
        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task Breaker_of_a_dead_engine_opens_alone_and_closes_again()
    {
        var alive = false;
        await using var provider = Provider(http => http.AddInferenceResilience(), (_, request, _) =>
            request.RequestUri!.Host == "dead" && !alive ? throw new HttpRequestException(HttpRequestError.ResponseEnded) : Task.FromResult(new HttpResponseMessage()));
        var client = Client(provider);
        for (var i = 0; i < 10; i++) await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("http://dead/"));

        await Assert.ThrowsAsync<BrokenCircuitException>(() => client.GetAsync("http://dead/"));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("http://well/")).StatusCode);

        alive = true;
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("http://dead/")).StatusCode);
    }

    private static HttpClient Client(ServiceProvider provider) => provider.GetRequiredService<IHttpClientFactory>().CreateClient("c");

    /// <summary>Moves the clock by a second whenever the call waits for it.</summary>
    private async Task AdvanceUntilDoneAsync(Task call)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!call.IsCompleted)
        {
            await Task.WhenAny(call, Task.Delay(5, patience.Token));
            patience.Token.ThrowIfCancellationRequested();
            if (!call.IsCompleted) _time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private ServiceProvider Provider(
        Action<IHttpClientBuilder> configure,
        Func<int, HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> respond,
        params (string Key, string Value)[] configuration)
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(_time);
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(configuration.Select(entry => KeyValuePair.Create(entry.Key, (string?)entry.Value))).Build());
        var http = services.AddHttpClient("c").ConfigurePrimaryHttpMessageHandler(() => new Responder(respond));
        configure(http);
        return services.BuildServiceProvider();
    }

    private sealed class Responder(Func<int, HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> respond) : HttpMessageHandler
    {
        private int _attempt = -1;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            respond(Interlocked.Increment(ref _attempt), request, cancellationToken);
    }
}
