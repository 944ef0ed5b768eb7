using NanoAspire.Hosting.Run;

namespace NanoAspire.Hosting.Tests.Model;

public sealed class EndpointTests
{
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder([]);

    [Fact]
    public void Defaults_follow_the_scheme()
    {
        var project = Project().WithHttpEndpoint().WithEndpoint(name: "raw");
        var endpoints = project.Resource.Annotations.OfType<EndpointAnnotation>().ToArray();
        Assert.Equal(("http", "http", "http"), (endpoints[0].Name, endpoints[0].UriScheme, endpoints[0].Transport));
        Assert.Equal(("raw", "tcp", "tcp"), (endpoints[1].Name, endpoints[1].UriScheme, endpoints[1].Transport));
        Assert.False(endpoints[0].IsExternal);
        project.WithExternalHttpEndpoints();
        Assert.True(endpoints[0].IsExternal);
        Assert.False(endpoints[1].IsExternal);
    }

    [Fact]
    public void Without_a_proxy_port_and_target_port_stand_in_for_each_other()
    {
        var endpoint = Project().WithHttpEndpoint(targetPort: 5000, isProxied: false).Resource.Annotations.OfType<EndpointAnnotation>().Single();
        Assert.Equal((5000, 5000), (endpoint.Port, endpoint.TargetPort));
    }

    [Fact]
    public void A_second_endpoint_of_one_name_is_refused() =>
        Assert.Throws<DistributedApplicationException>(() => Project().WithHttpEndpoint().WithHttpEndpoint());

    [Fact]
    public async Task A_reference_may_come_before_the_endpoint_and_its_value_before_the_port()
    {
        var project = Project();
        var reference = project.GetEndpoint("http");
        Assert.False(reference.Exists);
        project.WithHttpEndpoint();
        var value = reference.GetValueAsync(TestContext.Current.CancellationToken).AsTask();
        Assert.False(value.IsCompleted);
        Assert.Throws<InvalidOperationException>(() => reference.Port);
        project.Allocate("http", 4000);
        Assert.Equal("http://localhost:4000", await value);
        Assert.Equal("localhost:4000", await reference.Property(EndpointProperty.HostAndPort).GetValueAsync(TestContext.Current.CancellationToken));
        Assert.Equal("{p.bindings.http.host}:{p.bindings.http.port}", reference.Property(EndpointProperty.HostAndPort).ValueExpression);
    }

    [Theory]
    [InlineData(2, null, null, false, "not proxied")]
    [InlineData(2, null, 5000, true, "target port")]
    [InlineData(1, 5000, 5000, true, "must differ")]
    [InlineData(1, 5000, 5001, false, "must be the same")]
    public async Task Endpoints_that_cannot_work_are_refused(int replicas, int? port, int? targetPort, bool proxied, string reason)
    {
        var project = Project().WithHttpEndpoint(port, targetPort, isProxied: proxied).WithReplicas(replicas);
        var e = Assert.Throws<DistributedApplicationException>(() => EndpointPlan.Allocate(project.Resource, randomizePorts: false, _ => { }));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_taken_port_falls_back_to_a_free_one_with_one_line_and_stays_taken_where_it_may_not_change()
    {
        using var holder = PortReservation.Any("localhost");
        var lines = new List<string>();
        var project = Project().WithHttpEndpoint(port: holder.Port);
        await using var plan = EndpointPlan.Allocate(project.Resource, randomizePorts: false, lines.Add);
        var allocated = project.GetEndpoint("http").Port;
        Assert.NotEqual(holder.Port, allocated);
        Assert.Contains($"{allocated}", Assert.Single(lines), StringComparison.Ordinal);

        var rigid = _builder.AddProject("rigid", "r.csproj", launchProfileName: null).WithHttpEndpoint(port: holder.Port, isProxied: false);
        Assert.Throws<DistributedApplicationException>(() => EndpointPlan.Allocate(rigid.Resource, randomizePorts: false, lines.Add));
    }

    [Fact]
    public async Task Tests_ignore_fixed_ports()
    {
        using var holder = PortReservation.Any("localhost");
        var port = holder.Port;
        holder.Dispose();
        var project = Project().WithHttpEndpoint(port: port);
        await using var plan = EndpointPlan.Allocate(project.Resource, randomizePorts: true, _ => { });
        Assert.NotEqual(port, project.GetEndpoint("http").Port);
    }

    private IResourceBuilder<ProjectResource> Project() => _builder.AddProject("p", "p.csproj", launchProfileName: null);
}
