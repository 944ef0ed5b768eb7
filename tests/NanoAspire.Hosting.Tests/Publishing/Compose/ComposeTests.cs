using NanoAspire.AppHost;
using NanoAspire.AppHost.Deployment;
using NanoAspire.Hosting.Tests.Publishing.Kubernetes;
using YamlDotNet.RepresentationModel;

namespace NanoAspire.Hosting.Tests.Publishing.Compose;

public sealed class ComposeTests
{
    [Fact]
    public async Task The_cluster_is_a_valid_compose_file()
    {
        using var published = await PublishAsync();
        Assert.Equal([".env", "docker-compose.yaml"], published.Files());
        var file = Valid(published);
        Assert.Equal(["redis", "ctrl", "prefill", "decode", "router"], file.Entries("services").Select(s => s.Key));
        Assert.Equal("service_healthy", file.Text("services/ctrl/depends_on/redis/condition"));
        Assert.Equal("service_healthy", file.Text("services/decode/depends_on/ctrl/condition"));
        Assert.Equal(["services/router"], file.Entries("services").Where(s => s.Value.At("ports") is not null).Select(s => $"services/{s.Key}"));
        Assert.Equal("redis-server --requirepass $$REDIS_PASSWORD --save 60 1", file.Text("services/redis/command/1"));
        Assert.Equal("redis:6379,password=${REDIS_PASSWORD:?set REDIS_PASSWORD in .env}", file.Text("services/ctrl/environment/ConnectionStrings__redis"));
        Assert.Contains("REDIS_PASSWORD=\n", published.Read(".env"), StringComparison.Ordinal);
        Assert.Contains("MODEL=/models/demo\n", published.Read(".env"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_engine_gets_GPUs_of_its_own_and_what_RDMA_needs()
    {
        using var published = await PublishAsync("--gpus", "2", "--rdma", "hca", "--shm", "16Gi", "--model-volume", "/srv/models");
        var file = Valid(published);
        Assert.Equal(["0", "1"], Ids("prefill"));
        Assert.Equal(["2", "3"], Ids("decode"));
        var engine = file.At("services/decode")!;
        Assert.Equal(("16gb", "0", "-1"), (engine.Text("shm_size"), engine.Text("user"), engine.Text("ulimits/memlock/soft")));
        Assert.Equal(("/dev/infiniband:/dev/infiniband", "IPC_LOCK"), (engine.Text("devices/0"), engine.Text("cap_add/0")));
        Assert.Equal(("bind", "/srv/models", "true"), (engine.Text("volumes/0/type"), engine.Text("volumes/0/source"), engine.Text("volumes/0/read_only")));
        Assert.Null(file.At("services/ctrl/devices"));

        string[] Ids(string service) => [.. file.Items($"services/{service}/deploy/resources/reservations/devices").SelectMany(d => d.Items("device_ids")).Select(i => ((YamlScalarNode)i).Value!)];
    }

    [Theory]
    [InlineData("replicas", "--gpus", "1", "--decode", "2")]
    [InlineData("folder", "--model-volume", "pvc:models")]
    [InlineData("network", "--host-network", "true")]
    public async Task What_compose_cannot_give_is_refused(string reason, params string[] options)
    {
        using var published = new PublishedApplication("docker-compose");
        published.Builder.AddCluster(options);
        Assert.True(published.Builder.AddPublishTargets());
        var error = await Assert.ThrowsAsync<DistributedApplicationException>(() => Steps.RunAsync(published.Builder, "publish"));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(published.Output));
    }

    [Fact]
    public async Task Values_that_were_filled_in_survive_the_next_publication()
    {
        using var published = new PublishedApplication("docker-compose");
        Directory.CreateDirectory(published.Output);
        await File.WriteAllTextAsync(Path.Combine(published.Output, ".env"), "REDIS_PASSWORD=mine\nCUSTOM=1\n", TestContext.Current.CancellationToken);
        published.Builder.AddCluster();
        Assert.True(published.Builder.AddPublishTargets());
        await published.RunAsync();
        var env = published.Read(".env");
        Assert.Contains("REDIS_PASSWORD=mine\nCUSTOM=1\n", env, StringComparison.Ordinal);
        Assert.Equal(1, env.Split("REDIS_PASSWORD=").Length - 1);
        Valid(published);
    }

    [Fact]
    public async Task Images_are_built_from_the_Dockerfile_beside_the_project()
    {
        using var published = new PublishedApplication("docker-compose");
        Directory.CreateDirectory(Path.Combine(published.Host, "..", "Ctrl"));
        await File.WriteAllTextAsync(Path.Combine(published.Host, "..", "Ctrl", "Dockerfile"), "FROM scratch\n", TestContext.Current.CancellationToken);
        published.Builder.AddCluster();
        Assert.True(published.Builder.AddPublishTargets());
        await published.RunAsync();
        var file = Valid(published);
        Assert.Equal(("../src", "Ctrl/Dockerfile"), (file.Text("services/ctrl/build/context"), file.Text("services/ctrl/build/dockerfile")));
        Assert.Null(file.At("services/router/build"));
    }

    [Fact]
    public async Task The_dashboard_is_a_service_where_it_is_asked_for()
    {
        using var published = new PublishedApplication("docker-compose");
        published.Builder.AddDockerComposeEnvironment("box").WithDashboard().ConfigureComposeFile(f => f.Name = "mine").ConfigureEnvFile(v => v["EXTRA"] = new() { Name = "EXTRA", Description = "more", DefaultValue = "1" });
        published.Builder.AddProject("web", "../Web/Web.csproj", launchProfileName: null).WithHttpEndpoint().WithReplicas(2);
        published.Builder.AddContainer("job", "x").WithBindMount("data", "/data");
        await published.RunAsync();
        var file = Valid(published);
        Assert.Equal("http://box-dashboard:18889", file.Text("services/web/environment/OTEL_EXPORTER_OTLP_ENDPOINT"));
        Assert.Equal(("2", "mine", "${JOB_BINDMOUNT_0}"), (file.Text("services/web/deploy/replicas"), file.Text("name"), file.Text("services/job/volumes/0/source")));
        Assert.Contains("EXTRA=1", published.Read(".env"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_dashboard_can_be_given_a_port_an_image_and_forwarded_headers()
    {
        using var published = new PublishedApplication("docker-compose");
        published.Builder.AddDockerComposeEnvironment("box").WithDashboard(d => d.WithHostPort(8888).WithForwardedHeaders().WithImageTag("9.5"));
        published.Builder.AddContainer("job", "x");
        await published.RunAsync();
        var file = Valid(published);
        Assert.Equal(("mcr.microsoft.com/dotnet/nightly/aspire-dashboard:9.5", "8888:18888", "18889", "always"), (file.Text("services/box-dashboard/image"),
            file.Text("services/box-dashboard/ports/0"), file.Text("services/box-dashboard/expose/0"), file.Text("services/box-dashboard/restart")));
        Assert.Equal("true", file.Text("services/box-dashboard/environment/ASPIRE_DASHBOARD_FORWARDEDHEADERS_ENABLED"));
    }

    [Fact]
    public async Task A_project_from_its_own_Dockerfile_is_still_waited_for_and_found()
    {
        using var published = new PublishedApplication("docker-compose");
        published.Builder.AddDockerComposeEnvironment("box");
        var api = published.Builder.AddProject("api", "../Api/Api.csproj", launchProfileName: null).WithHttpEndpoint().PublishAsDockerFile();
        var job = published.Builder.AddContainer("job", "x");
        published.Builder.AddContainer("web", "x").WithReference(api).WaitFor(api).WaitForCompletion(job);
        await published.RunAsync();
        var file = Valid(published);
        Assert.Equal(("service_started", "service_completed_successfully"), (file.Text("services/web/depends_on/api/condition"), file.Text("services/web/depends_on/job/condition")));
        Assert.Equal(("http://api:8080", "${API_IMAGE}"), (file.Text("services/web/environment/services__api__http__0"), file.Text("services/api/image")));
    }

    [Theory]
    [InlineData("networks:\n  aspire:\n    driver: \"bridge\"", "", "no network")]
    [InlineData("condition: \"service_healthy\"", "condition: \"service_fine\"", "condition")]
    [InlineData("${CTRL_PORT}", "${CTRL_POTR}", "not in .env")]
    [InlineData("$$REDIS_PASSWORD", "$REDIS_PASSWORD", "lone dollar")]
    [InlineData("restart:", "restarts:", "unknown 'restarts'")]
    [InlineData("HTTP_PORTS: \"${CTRL_PORT}\"", "HTTP_PORTS: 8080", "not a text")]
    public async Task A_broken_file_is_found_by_the_rules(string valid, string broken, string problem)
    {
        using var published = await PublishAsync();
        var text = published.Read("docker-compose.yaml");
        Assert.Contains(valid, text, StringComparison.Ordinal);
        var problems = ComposeRules.Check(ChartRenderer.Load(text.Replace(valid, broken, StringComparison.Ordinal)), published.Read(".env"));
        Assert.Contains(problems, p => p.Contains(problem, StringComparison.Ordinal));
    }

    private static async Task<PublishedApplication> PublishAsync(params string[] options)
    {
        var published = new PublishedApplication("docker-compose");
        published.Builder.AddCluster(options);
        Assert.True(published.Builder.AddPublishTargets());
        return await published.RunAsync();
    }

    private static YamlMappingNode Valid(PublishedApplication published)
    {
        var file = ChartRenderer.Load(published.Read("docker-compose.yaml"));
        Assert.Empty(ComposeRules.Check(file, published.Read(".env")));
        return file;
    }
}
