#pragma warning disable ASPIREPROBES001 // tested here
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NanoAspire.Hosting.Tests.Run;

/// <summary>What counts as healthy besides a resource's own health check.</summary>
public sealed class HealthTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_probe_is_a_health_check_in_a_run_and_two_of_one_path_are_one()
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddSample("web").WithHttpProbe(ProbeType.Startup, "/health").WithHttpProbe(ProbeType.Readiness, "/health");
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        var healthy = await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        Assert.Equal(["web_http_/health_200_check"], healthy.Snapshot.HealthReports.Select(r => r.Name));
    }

    [Fact]
    public async Task A_service_of_others_is_as_healthy_as_its_answer()
    {
        var host = WebApplication.CreateSlimBuilder();
        host.WebHost.UseUrls("http://127.0.0.1:0");
        await using var service = host.Build();
        service.MapGet("/ok", () => Results.NoContent());
        await service.StartAsync(Ct);

        var builder = SampleProcesses.NewApplication();
        var url = builder.AddParameter("url", $"{service.Urls.First()}/");
        builder.AddExternalService("good", url).WithHttpHealthCheck("ok", 204);
        builder.AddExternalService("bad", new Uri($"{service.Urls.First()}/")).WithHttpHealthCheck("ok");
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("good", Ct);
        var bad = await app.StateAsync("bad", s => s.HealthReports.Any(r => r.Status == HealthStatus.Unhealthy));
        Assert.Contains("answered 204, expected 200", bad.HealthReports.Single().Description, StringComparison.Ordinal);
        Assert.Throws<DistributedApplicationException>(() => SampleProcesses.NewApplication().AddExternalService("mail", "smtp://example.com/").WithHttpHealthCheck());
    }
}
