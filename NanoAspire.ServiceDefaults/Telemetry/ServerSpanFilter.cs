using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;

namespace NanoAspire.ServiceDefaults.Telemetry;

/// <summary>Puts <see cref="ServerSpanMiddleware"/> in front of every other middleware of the application.</summary>
internal sealed class ServerSpanFilter(IConfiguration configuration) : IStartupFilter
{
    private readonly bool _redactQuery =
        !string.Equals(configuration["OTEL_DOTNET_EXPERIMENTAL_ASPNETCORE_DISABLE_URL_QUERY_REDACTION"], "true", StringComparison.OrdinalIgnoreCase);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(following => new ServerSpanMiddleware(following, _redactQuery).InvokeAsync);
        next(app);
    };
}
