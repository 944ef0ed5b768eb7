using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NanoAspire.Dashboard.Telemetry;
using NanoAspire.Dashboard.Tests.Demo;

namespace NanoAspire.Dashboard.Tests.Otlp;

/// <summary>The service defaults and the dashboard together: what the SDK's exporter sends is understood.</summary>
public sealed partial class RealExporterTests
{
    [Theory]
    [InlineData("http/protobuf")]
    [InlineData("grpc")]
    public async Task A_service_with_the_defaults_shows_its_request_its_log_and_its_metrics(string protocol)
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false, options => options.OtlpGrpcPort = 0);
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = protocol == "grpc" ? dashboard.Server.OtlpGrpcUrl : dashboard.Server.OtlpUrl,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol,
            ["OTEL_EXPORTER_OTLP_HEADERS"] = $"x-otlp-api-key={dashboard.Server.OtlpApiKey}",
            ["OTEL_SERVICE_NAME"] = "sample",
            ["OTEL_RESOURCE_ATTRIBUTES"] = "service.instance.id=abcdefgh",
        });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddServiceDefaults();
        builder.Logging.AddFilter<Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider>(null, LogLevel.None);
        await using (var app = builder.Build())
        {
            app.MapGet("/hello/{name}", (string name, ILoggerFactory loggers) =>
            {
                Greeted(loggers.CreateLogger("Greeter"), name);
                return "hello";
            });
            await app.StartAsync(TestContext.Current.CancellationToken);
            using var client = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null });
            await client.GetStringAsync($"{app.Urls.Single()}/hello/ada");
            await app.StopAsync(TestContext.Current.CancellationToken);                // flushes
        }

        var store = dashboard.Server.Store;
        var span = Assert.Single(store.Traces.AllSpans(), span => span.Name == "GET /hello/{name}");
        Assert.Equal((SpanKind.Server, "sample", 200L), (span.Kind, span.Resource.Name, span.Attributes.Number("http.response.status_code")));
        Assert.Equal("abcdefgh", span.Resource.InstanceId);
        var log = Assert.Single(store.Logs.All(), log => log.Message == "Greeted ada");
        Assert.Equal((span.TraceId, span.SpanId, "Greeter", LogSeverity.Information), (log.TraceId, log.SpanId, log.Scope, log.Severity));
        Assert.Equal("ada", log.Attributes.Text("Name"));
        var requests = store.Metrics.Find(span.Resource.Key, "http.server.request.duration")!;
        Assert.Equal("s", requests.Unit);
        Assert.Contains(requests.Series, series => series.Attributes.Text("http.route") == "/hello/{name}" && series.Points[^1].Count == 1);
        Assert.NotNull(store.Metrics.Find(span.Resource.Key, "dotnet.process.memory.working_set"));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Greeted {Name}")]
    private static partial void Greeted(ILogger logger, string name);
}
