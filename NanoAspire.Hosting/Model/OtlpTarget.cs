using Microsoft.Extensions.Configuration;

namespace NanoAspire.Hosting.Model;

/// <summary>
/// Where telemetry goes. A standard <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> of the host wins: somebody has a collector. Otherwise it is the
/// dashboard, once that listens and has written its addresses into the configuration; without either nothing is exported.
/// </summary>
internal sealed record OtlpTarget(string Endpoint, string? Protocol, string? Headers)
{
    /// <summary>True while a dashboard of this host receives telemetry at the <c>ASPIRE_DASHBOARD_OTLP_*</c> addresses.</summary>
    public const string DashboardListensKey = "NanoAspire:DashboardListens";

    public static OtlpTarget? From(IConfiguration configuration, OtlpProtocol? required)
    {
        if (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 } external)
        {
            return new OtlpTarget(external, configuration["OTEL_EXPORTER_OTLP_PROTOCOL"], configuration["OTEL_EXPORTER_OTLP_HEADERS"]);
        }
        if (configuration[DashboardListensKey] != "true") return null;
        var headers = configuration["AppHost:OtlpApiKey"] is { Length: > 0 } key ? $"x-otlp-api-key={key}" : null;
        var grpc = configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] ?? configuration["DOTNET_DASHBOARD_OTLP_ENDPOINT_URL"];
        var http = configuration["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] ?? configuration["DOTNET_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"];
        if (!string.IsNullOrEmpty(grpc) && required is not OtlpProtocol.HttpProtobuf) return new OtlpTarget(grpc, "grpc", headers);
        if (!string.IsNullOrEmpty(http) && required is not OtlpProtocol.Grpc) return new OtlpTarget(http, "http/protobuf", headers);
        return null;
    }

    public void AddTo(Dictionary<string, object> variables, bool forContainer)
    {
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = forContainer ? new HostUrl(Endpoint) : Endpoint;
        if (!string.IsNullOrEmpty(Protocol)) variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = Protocol;
        if (!string.IsNullOrEmpty(Headers)) variables["OTEL_EXPORTER_OTLP_HEADERS"] = Headers;
    }
}
