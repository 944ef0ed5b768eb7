using System.Text.Json.Nodes;
using NanoAspire.Tests;

namespace NanoAspire.Hosting.Tests.Publishing.Manifest;

public sealed class ManifestTests
{
    [Fact]
    public async Task The_cluster_is_written_as_the_reference_writes_it()
    {
        using var published = new PublishedApplication("manifest", "deploy/aspire-manifest.json");
        published.Builder.AddCluster();
        var json = await ManifestAsync(published);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(RepositoryPaths.Root, "tests", "NanoAspire.Hosting.Tests", "Publishing", "Manifest", "cluster.json"), TestContext.Current.CancellationToken), json);
    }

    [Fact]
    public async Task Every_kind_of_resource_is_valid_and_has_its_members()
    {
        using var published = new PublishedApplication("manifest", "manifest.json");
        var builder = published.Builder;
        var key = builder.AddParameter("key", secret: true);
        var url = builder.AddConnectionString("database");
        var store = builder.AddContainer("store", "ghcr.io/team/store:1.2").WithVolume("data", "/data").WithBindMount("conf", "/conf", isReadOnly: true)
            .WithHttpEndpoint(targetPort: 9000).WithEndpoint(port: 7000, targetPort: 7001, name: "raw").WithEntrypoint("/bin/store");
        builder.AddDockerfile("built", "../built", "docker/Dockerfile", "final").WithBuildArg("KEY", key).WithBuildArg("LEVEL", 3).WithHttpEndpoint(env: "PORT");
        builder.AddExecutable("tool", "tool", "../tools", "--store", "x").WithEnvironment("STORE", store.GetEndpoint("http")).WithEnvironment("DB", url);
        builder.AddConnectionString("joined", ReferenceExpression.Create($"{store.GetEndpoint("http")};key={key}"));
        builder.AddContainer("hidden", "x").ExcludeFromManifest();
        builder.AddContainer("own", "y").WithManifestPublishingCallback(context => context.Writer.WriteString("type", "own.v0"));

        var resources = JsonNode.Parse(await ManifestAsync(published))!["resources"]!;
        Assert.Equal("ghcr.io/team/store:1.2", (string?)resources["store"]!["image"]);
        Assert.Equal("/bin/store", (string?)resources["store"]!["entrypoint"]);
        Assert.Equal("""[{"source":"src/Host/conf","target":"/conf","readOnly":true}]""", resources["store"]!["bindMounts"]!.ToJsonString());
        Assert.Equal("""{"scheme":"tcp","protocol":"tcp","transport":"tcp","port":7000,"targetPort":7001}""", resources["store"]!["bindings"]!["raw"]!.ToJsonString());
        Assert.Equal("container.v1", (string?)resources["built"]!["type"]);
        Assert.Equal("""{"context":"src/built","dockerfile":"src/built/docker/Dockerfile","stage":"final","args":{"KEY":"{key.value}","LEVEL":"3"}}""", resources["built"]!["build"]!.ToJsonString());
        Assert.Equal(8000, (int?)resources["built"]!["bindings"]!["http"]!["targetPort"]);
        Assert.Equal("{built.bindings.http.targetPort}", (string?)resources["built"]!["env"]!["PORT"]);
        Assert.Equal("src/tools", (string?)resources["tool"]!["workingDirectory"]);
        Assert.Equal("{database.connectionString}", (string?)resources["tool"]!["env"]!["DB"]);
        Assert.Equal("{database.value}", (string?)resources["database"]!["connectionString"]);
        Assert.Equal("{store.bindings.http.url};key={key.value}", (string?)resources["joined"]!["connectionString"]);
        Assert.Equal("own.v0", (string?)resources["own"]!["type"]);
        Assert.Null(resources["hidden"]);
    }

    [Fact]
    public async Task Ports_that_the_model_names_are_not_given_to_others()
    {
        using var published = new PublishedApplication("manifest", "manifest.json");
        published.Builder.AddContainer("first", "x").WithEndpoint(name: "a").WithEndpoint(name: "b");
        published.Builder.AddContainer("second", "y").WithEndpoint(targetPort: 8000, name: "c");
        var resources = JsonNode.Parse(await ManifestAsync(published, valid: true))!["resources"]!;
        Assert.Equal([8001, 8002], resources["first"]!["bindings"]!.AsObject().Select(b => (int)b.Value!["targetPort"]!));
    }

    [Fact]
    public async Task A_project_becomes_a_container_that_is_built_where_it_asks_for_its_Dockerfile()
    {
        using var published = new PublishedApplication("manifest", "manifest.json");
        published.Builder.AddProject("web", "../Web/Web.csproj", launchProfileName: null).WithArgs("dropped").WithHttpEndpoint().WithEnvironment("A", "b").PublishAsDockerFile();
        var web = JsonNode.Parse(await ManifestAsync(published))!["resources"]!["web"]!;
        Assert.Equal("container.v1", (string?)web["type"]);
        Assert.Equal("src/Web", (string?)web["build"]!["context"]);
        Assert.Equal(8080, (int?)web["bindings"]!["http"]!["targetPort"]);
        Assert.Equal("b", (string?)web["env"]!["A"]);
        Assert.Null(web["args"]);
    }

    [Fact]
    public async Task A_folder_as_output_gets_the_default_file_name()
    {
        using var published = new PublishedApplication("manifest", "folder");
        published.Builder.AddContainer("one", "x");
        await published.RunAsync();
        Assert.Equal(["aspire-manifest.json"], published.Files());
    }

    private static async Task<string> ManifestAsync(PublishedApplication published, bool valid = true)
    {
        await published.RunAsync();
        var json = await File.ReadAllTextAsync(published.Output, TestContext.Current.CancellationToken);
        if (valid) Assert.Empty(ManifestRules.Check(json));
        return json;
    }
}
