using NanoAspire.Hosting.Run;

namespace NanoAspire.Hosting.Tests.Model;

public sealed class EnvironmentTests
{
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder([]);

    [Fact]
    public async Task A_reference_to_a_service_gives_its_url_under_the_discovery_key_and_a_plain_name()
    {
        var ctrl = Project("my-ctrl").WithHttpEndpoint();
        ctrl.Allocate("http", 4479);
        var environment = await Project("web").WithReference(ctrl).EnvironmentAsync();
        Assert.Equal("http://localhost:4479", environment["services__my-ctrl__http__0"]);
        Assert.Equal("http://localhost:4479", environment["MY_CTRL_HTTP"]);
    }

    [Fact]
    public async Task A_reference_to_one_endpoint_leaves_the_others_out_and_tcp_endpoints_keep_their_scheme()
    {
        var engine = Project("engine").WithHttpEndpoint().WithEndpoint(scheme: "tcp", name: "kv");
        engine.Allocate("http", 1);
        engine.Allocate("kv", 2);
        var environment = await Project("web").WithReference(engine.GetEndpoint("kv")).EnvironmentAsync();
        Assert.Equal("tcp://localhost:2", environment["services__engine__kv__0"]);
        Assert.DoesNotContain("services__engine__http__0", environment.Keys);
    }

    [Fact]
    public async Task A_reference_to_redis_gives_the_connection_string_and_its_parts()
    {
        var redis = _builder.AddRedis("redis", password: _builder.AddParameter("pw", "p+w"));
        redis.Allocate("tcp", 7000);
        var environment = await Project("web").WithReference(redis, connectionName: "cache-1").EnvironmentAsync();
        Assert.Equal("localhost:7000,password=p+w", environment["ConnectionStrings__cache-1"]);
        Assert.Equal("localhost", environment["CACHE_1_HOST"]);
        Assert.Equal("7000", environment["CACHE_1_PORT"]);
        Assert.Equal("p+w", environment["CACHE_1_PASSWORD"]);
        Assert.Equal("redis://:p%2Bw@localhost:7000", environment["CACHE_1_URI"]);
    }

    [Fact]
    public async Task A_reference_to_what_this_machine_cannot_run_stays_empty()
    {
        var redis = _builder.AddRedis("redis");
        redis.WithAnnotation(new UnavailableAnnotation("nothing to run it"));
        var environment = await Project("web").WithReference(redis).EnvironmentAsync();
        Assert.DoesNotContain(environment.Keys, key => key.Contains("redis", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_missing_connection_string_stops_its_consumer_unless_it_is_optional()
    {
        var expression = _builder.AddConnectionString("db", ReferenceExpression.Empty);
        await Assert.ThrowsAsync<DistributedApplicationException>(() => Project("a").WithReference(expression).EnvironmentAsync());
        Assert.DoesNotContain("ConnectionStrings__db", (await Project("b").WithReference(expression, optional: true).EnvironmentAsync()).Keys);
    }

    [Fact]
    public async Task A_connection_string_comes_from_the_configuration()
    {
        _builder.Configuration["ConnectionStrings:db"] = "Server=x";
        Assert.Equal("Server=x", (await Project("a").WithReference(_builder.AddConnectionString("db")).EnvironmentAsync())["ConnectionStrings__db"]);
    }

    [Fact]
    public async Task Reference_flags_limit_what_is_injected()
    {
        var ctrl = Project("ctrl").WithHttpEndpoint();
        ctrl.Allocate("http", 4479);
        var environment = await Project("web").WithReference(ctrl).WithReferenceEnvironment(ReferenceEnvironmentInjectionFlags.ServiceDiscovery).EnvironmentAsync();
        Assert.Contains("services__ctrl__http__0", environment.Keys);
        Assert.DoesNotContain("CTRL_HTTP", environment.Keys);
    }

    [Fact]
    public async Task A_uri_and_an_external_service_are_references_too()
    {
        var outside = _builder.AddExternalService("outside", "https://example.test/api/");
        var environment = await Project("web").WithReference("fixed", new Uri("http://x.test/")).WithReference(outside).EnvironmentAsync();
        Assert.Equal("http://x.test/", environment["services__fixed__default__0"]);
        Assert.Equal("https://example.test/api/", environment["services__outside__https__0"]);
        Assert.Throws<ArgumentException>(() => _builder.AddExternalService("bad", "https://example.test/api"));
    }

    [Fact]
    public async Task A_project_learns_its_own_ports_its_name_and_its_instance()
    {
        var project = Project("web").WithHttpEndpoint().WithHttpEndpoint(name: "admin", env: "ADMIN_PORT");
        var environment = await project.EnvironmentAsync(("http", 5001), ("admin", 5002));
        Assert.Equal("http://localhost:5001;http://localhost:5002", environment["ASPNETCORE_URLS"]);
        Assert.Equal("5002", environment["ADMIN_PORT"]);
        Assert.Equal("web", environment["OTEL_SERVICE_NAME"]);
        Assert.Matches("^service\\.instance\\.id=[a-z]{8}$", environment["OTEL_RESOURCE_ATTRIBUTES"]);
        Assert.Equal("in_memory", environment["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"]);
    }

    [Fact]
    public async Task Telemetry_goes_to_the_collector_the_user_named_and_nowhere_without_one()
    {
        Assert.DoesNotContain("OTEL_EXPORTER_OTLP_ENDPOINT", (await Project("a").EnvironmentAsync()).Keys);
        _builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://collector:4318";
        _builder.Configuration["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        _builder.Configuration["OTEL_EXPORTER_OTLP_HEADERS"] = "k=v";
        var environment = await Project("b").EnvironmentAsync();
        Assert.Equal("http://collector:4318", environment["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        Assert.Equal("http/protobuf", environment["OTEL_EXPORTER_OTLP_PROTOCOL"]);
        Assert.Equal("k=v", environment["OTEL_EXPORTER_OTLP_HEADERS"]);
    }

    [Fact]
    public async Task Later_callbacks_overwrite_earlier_ones_and_missing_values_are_left_out()
    {
        var project = Project("web").WithEnvironment("A", "1").WithEnvironment(c => c.EnvironmentVariables["A"] = "2").WithEnvironment("B", () => "late");
        project.WithEnvironment(c => c.EnvironmentVariables["C"] = ReferenceExpression.Empty);
        var environment = await project.EnvironmentAsync();
        Assert.Equal("2", environment["A"]);
        Assert.Equal("late", environment["B"]);
        Assert.DoesNotContain("C", environment.Keys);
    }

    [Fact]
    public async Task Arguments_keep_their_order_and_resolve_values()
    {
        var model = _builder.AddParameter("model", "/models/x");
        var project = Project("engine").WithHttpEndpoint().WithArgs("serve", model.Resource).WithArgs(c => c.Args.Add(8)).WithArgs("--last");
        Assert.Equal(["serve", "/models/x", "8", "--last"], await project.ArgumentsAsync());
    }

    [Fact]
    public async Task Published_services_get_ports_from_the_platform_and_no_collector()
    {
        var builder = DistributedApplication.CreateBuilder(["--operation", "publish"]);
        builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://collector:4318";
        var project = builder.AddProject("web", "web.csproj", launchProfileName: null).WithHttpEndpoint();
        var context = new EnvironmentCallbackContext(builder.ExecutionContext, project.Resource);
        foreach (var callback in project.Resource.Annotations.OfType<EnvironmentCallbackAnnotation>()) await callback.Callback(context);
        Assert.Equal(["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY", "ASPNETCORE_FORWARDEDHEADERS_ENABLED", "HTTP_PORTS"], context.EnvironmentVariables.Keys);
        Assert.Equal("{web.bindings.http.targetPort}", ((ReferenceExpression)context.EnvironmentVariables["HTTP_PORTS"]).ValueExpression);
    }

    private IResourceBuilder<ProjectResource> Project(string name) => _builder.AddProject(name, $"{name}/{name}.csproj", launchProfileName: null);
}
