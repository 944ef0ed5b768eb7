using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NanoAspire.ServiceDefaults.Tests.Telemetry;

namespace NanoAspire.ServiceDefaults.Tests;

public sealed class EndpointTests
{
    [Fact]
    public async Task Health_fails_with_a_dependency_while_alive_does_not()
    {
        await using var service = await SampleService.StartAsync(
            [], builder => builder.Services.AddHealthChecks().AddCheck("redis", () => HealthCheckResult.Unhealthy("connection refused")));
        using var client = new HttpClient();

        using var health = await client.GetAsync($"{service.Url}/health");
        using var alive = await client.GetAsync($"{service.Url}/alive");

        Assert.Equal(503, (int)health.StatusCode);
        using var report = JsonDocument.Parse(await health.Content.ReadAsStringAsync());
        Assert.Equal("Unhealthy", report.RootElement.GetProperty("status").GetString());
        Assert.Equal("connection refused", report.RootElement.GetProperty("checks").GetProperty("redis").GetProperty("description").GetString());
        Assert.Equal("Healthy", report.RootElement.GetProperty("checks").GetProperty("self").GetProperty("status").GetString());
        Assert.Equal(200, (int)alive.StatusCode);
        Assert.DoesNotContain("redis", await alive.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Adding_the_defaults_twice_changes_nothing()
    {
        await using var service = await SampleService.StartAsync([], builder => Microsoft.Extensions.Hosting.Extensions.AddServiceDefaults(builder));
        using var client = new HttpClient();
        Assert.Equal(200, (int)(await client.GetAsync($"{service.Url}/health")).StatusCode);
        Assert.Single(service.App.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<HealthCheckServiceOptions>>().Value.Registrations);
    }
}
