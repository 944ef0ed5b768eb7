using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NanoAspire.Router.Leases;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>A router on a real socket with the engines of a test.</summary>
internal sealed class TestRouter : IAsyncDisposable
{
    public const string UserHi = """{"model":"m1","messages":[{"role":"user","content":"hi"}],"max_tokens":9}""";
    public const string UserHiStreamed = """{"model":"m1","messages":[{"role":"user","content":"hi"}],"max_tokens":9,"stream":true}""";

    /// <summary>Every engine once, no second thoughts: what a conformance case starts from.</summary>
    public static RouterOptions Defaults { get; } = new()
    {
        Port = 0,
        Retries = 1,
        Strategy = StrategyOptions.Same("round_robin"),
        // What is dead refuses at once: long limits only keep a busy machine from looking dead.
        Probe = new ProbeOptions { Interval = TimeSpan.FromSeconds(0.2), SuspectInterval = TimeSpan.FromSeconds(0.2), Timeout = TimeSpan.FromSeconds(20), Down = 2, Up = 1 },
        Deadlines = new DeadlineOptions { Connect = TimeSpan.FromSeconds(20) },
    };

    private readonly WebApplication _app;

    private TestRouter(WebApplication app, ListNodeSource engines, LogLines log)
    {
        _app = app;
        Engines = engines;
        Log = log;
    }

    public ListNodeSource Engines { get; }
    public LogLines Log { get; }
    public HttpClient Client { get; private set; } = null!;
    public NodeTable Table => _app.Services.GetRequiredService<NodeTable>();
    public KvLeaseTable Leases => _app.Services.GetRequiredService<KvLeaseTable>();

    public static Task<TestRouter> StartAsync(params IEnumerable<ScriptedEngine> engines) => StartAsync(Defaults, engines);

    public static Task<TestRouter> StartAsync(RouterOptions options, params IEnumerable<ScriptedEngine> engines) => StartAsync(options, static _ => { }, engines);

    public static async Task<TestRouter> StartAsync(RouterOptions options, Action<IServiceCollection> configure, params IEnumerable<ScriptedEngine> engines)
    {
        var source = new ListNodeSource(engines.Select(engine => engine.Descriptor));
        var log = new LogLines();
        var app = RouterApp.Build(options, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Logging.AddProvider(log);
            builder.Services.AddSingleton<INodeSource>(source);
            configure(builder.Services);
        });
        await app.StartAsync();
        return new TestRouter(app, source, log) { Client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TimeSpan.FromSeconds(60) } };
    }

    public Node NodeOf(ScriptedEngine engine) => Table.Current.Find(engine.Url) ?? throw new InvalidOperationException($"no node for {engine.Id}");

    public Task<HttpResponseMessage> ChatAsync(string body = UserHi, string path = "/v1/chat/completions", CancellationToken ct = default, params IEnumerable<(string Name, string Value)> headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
    }

    public static async Task<JsonNode> JsonAsync(HttpResponseMessage response) => JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

    public static async Task<string?> ErrorCodeAsync(HttpResponseMessage response) => (string?)(await JsonAsync(response))["error"]!["code"];

    /// <summary>Everybody has given back what they held.</summary>
    public async Task QuietAsync()
    {
        await Eventually.Async(() => Table.Current.Nodes.All(node => node is { InFlight: 0, PendingPromptBytes: 0 }));
        await Eventually.Async(() => Leases is { Held: 0, Pending: 0 });
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopWithinAsync(TimeSpan.FromSeconds(2));
        await _app.DisposeAsync();
    }

    /// <summary>The log as text.</summary>
    internal sealed class LogLines : ILoggerProvider
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IEnumerable<string> Lines => _lines;

        public ILogger CreateLogger(string categoryName) => new Writer(this, categoryName);

        public void Dispose()
        {
        }

        private sealed class Writer(LogLines owner, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                owner._lines.Enqueue($"{logLevel} {category}: {formatter(state, exception)} {exception}");
        }
    }
}
