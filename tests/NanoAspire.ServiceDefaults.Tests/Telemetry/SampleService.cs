using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NanoAspire.ServiceDefaults.Tests.Telemetry;

/// <summary>A service as the application's own are: defaults added first, default endpoints mapped.</summary>
internal sealed class SampleService : IAsyncDisposable
{
    private SampleService(WebApplication app) => App = app;

    public WebApplication App { get; }

    public string Url => App.Urls.Single();

    public static async Task<SampleService> StartAsync(
        IEnumerable<KeyValuePair<string, string?>> configuration,
        Action<WebApplicationBuilder>? configure = null,
        Action<WebApplication>? map = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(configuration);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddServiceDefaults();
        builder.Logging.AddFilter<Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider>(null, LogLevel.None);
        configure?.Invoke(builder);
        var app = builder.Build();
        app.MapDefaultEndpoints();
        map?.Invoke(app);
        await app.StartAsync();
        return new SampleService(app);
    }

    /// <summary>Variables as the application host sets them, with every batch sent at once or (<paramref name="delay"/>) never by itself.</summary>
    public static Dictionary<string, string?> Otlp(OtlpCollector collector, string serviceName, string delay = "100") => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_EXPORTER_OTLP_HEADERS"] = "x-otlp-api-key=secret",
        ["OTEL_SERVICE_NAME"] = serviceName,
        ["OTEL_RESOURCE_ATTRIBUTES"] = "service.instance.id=abcdefgh",
        ["OTEL_BSP_SCHEDULE_DELAY"] = delay,
        ["OTEL_BLRP_SCHEDULE_DELAY"] = delay,
        ["OTEL_METRIC_EXPORT_INTERVAL"] = delay,
    };

    public ValueTask DisposeAsync() => App.DisposeAsync();
}
