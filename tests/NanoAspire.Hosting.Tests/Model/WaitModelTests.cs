using Microsoft.Extensions.Diagnostics.HealthChecks;
using NanoAspire.Hosting.Run;

namespace NanoAspire.Hosting.Tests.Model;

public sealed class WaitModelTests
{
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder([]);

    [Fact]
    public void Waiting_for_oneself_is_refused()
    {
        var a = Project("a");
        Assert.Throws<DistributedApplicationException>(() => a.WaitFor(a));
    }

    [Fact]
    public void A_circle_of_waits_is_named_before_anything_starts()
    {
        var (a, b, c) = (Project("a"), Project("b"), Project("c"));
        a.WaitFor(b);
        b.WaitForStart(c);
        c.WaitFor(a);
        var e = Assert.Throws<DistributedApplicationException>(() => ModelChecks.Check(Model(), new HealthCheckServiceOptions()));
        Assert.Contains("a → b → c → a", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_health_check_that_nobody_registered_is_named_before_anything_starts()
    {
        Project("a").WithHealthCheck("missing");
        var e = Assert.Throws<DistributedApplicationException>(() => ModelChecks.Check(Model(), new HealthCheckServiceOptions()));
        Assert.Contains("missing", e.Message, StringComparison.Ordinal);
        Assert.Contains("'a'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resources_stop_before_what_they_wait_for_or_refer_to()
    {
        var redis = _builder.AddRedis("redis");
        var ctrl = Project("ctrl").WithHttpEndpoint().WithReference(redis);
        var (prefill, decode) = (Project("prefill").WaitFor(ctrl), Project("decode").WithReference(ctrl));
        Project("router").WithReference(ctrl).WaitFor(prefill).WaitFor(decode);
        var layers = ModelChecks.StopOrder(Model()).Select(layer => string.Join(' ', layer.Select(r => r.Name)));
        Assert.Equal(["router", "prefill decode", "ctrl", "redis"], layers);
    }

    [Fact]
    public void References_in_a_circle_do_not_prevent_stopping()
    {
        var a = Project("a").WithHttpEndpoint();
        var b = Project("b").WithHttpEndpoint().WithReference(a);
        a.WithReference(b);
        Assert.Equal(2, ModelChecks.StopOrder(Model()).Sum(layer => layer.Count));
    }

    [Theory]
    [InlineData(0, true, 100, 0, false, false)]        // finished
    [InlineData(1, false, 1, 0, false, true)]          // did not like its arguments
    [InlineData(134, false, 1, 0, true, false)]        // crashed while starting: once more
    [InlineData(134, false, 1, 2, false, true)]        // … but not for ever
    [InlineData(139, true, 100, 0, true, false)]       // crashed at work
    [InlineData(1, true, 100, 4, true, false)]
    [InlineData(1, true, 100, 5, false, false)]        // has worked, so it ends as stopped, not as never started
    public void What_follows_the_end_of_a_process_depends_on_how_far_it_got(int code, bool ready, int seconds, int attempt, bool restart, bool failed)
    {
        var resource = Project("a").WithHttpEndpoint().WithHttpHealthCheck("/health").Resource;
        var verdict = CrashPolicy.Decide(resource, new RestartPolicyAnnotation(), code, ready, TimeSpan.FromSeconds(seconds), attempt);
        Assert.Equal((restart, failed), (verdict.Restart, verdict.FailedToStart));
    }

    [Fact]
    public void Delays_double_up_to_a_limit()
    {
        var policy = new RestartPolicyAnnotation();
        Assert.Equal([1, 2, 4, 8, 16, 30, 30], Enumerable.Range(1, 7).Select(n => policy.DelayBefore(n).TotalSeconds));
        Assert.Equal(30, policy.DelayBefore(1000).TotalSeconds);
    }

    private IResourceBuilder<ProjectResource> Project(string name) => _builder.AddProject(name, $"{name}.csproj", launchProfileName: null);
    private DistributedApplicationModel Model() => new(_builder.Resources);
}
