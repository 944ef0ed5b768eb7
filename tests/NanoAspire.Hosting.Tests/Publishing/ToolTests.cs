using NanoAspire.AppHost.Deployment;
using NanoAspire.Hosting.Tests.Publishing.Kubernetes;
using YamlDotNet.RepresentationModel;

namespace NanoAspire.Hosting.Tests.Publishing;

/// <summary>What the tools that will read our files say about them.</summary>
[Trait("needs", "tools")]
public sealed class ToolTests
{
    private static readonly string[] Everything = ["--gpus", "1", "--rdma", "hca", "--shm", "16Gi", "--cpu", "8", "--memory", "64Gi", "--node-selector", "a=b", "--toleration", "c"];

    [Fact(Skip = Tools.HelmReason, SkipUnless = nameof(Tools.Helm), SkipType = typeof(Tools))]
    public async Task Helm_renders_the_chart_to_the_same_objects_as_we_do()
    {
        using var published = await PublishAsync("kubernetes", [.. Everything, "--autoscale", "4=http://prometheus:9090"]);
        var rendered = Tools.Run("helm", "template", "test", published.Output, "--set", "secrets.redis.redis_password=x")!.Value;
        Assert.True(rendered.ExitCode == 0, rendered.Errors);
        var stream = new YamlStream();
        stream.Load(new StringReader(rendered.Output));
        var theirs = stream.Documents.Select((d, i) => (Key: i.ToString(System.Globalization.CultureInfo.InvariantCulture), Node: (YamlMappingNode)d.RootNode)).ToDictionary(d => d.Key, d => d.Node);
        Assert.Empty(KubernetesRules.Check(theirs));
        var ours = new ChartRenderer(published.Output, "test", ("secrets.redis.redis_password", "x")).Render();
        Assert.Equal(ours.Values.Select(Name).Order(), theirs.Values.Select(Name).Order());
        var unset = Tools.Run("helm", "template", "test", published.Output)!.Value;
        Assert.NotEqual(0, unset.ExitCode);
        Assert.Contains("secrets.redis.redis_password", unset.Errors, StringComparison.Ordinal);

        static string Name(YamlMappingNode o) => $"{o.Text("kind")}/{o.Text("metadata/name")}";
    }

    [Fact(Skip = Tools.ComposeReason, SkipUnless = nameof(Tools.Compose), SkipType = typeof(Tools))]
    public async Task Compose_accepts_the_file_once_the_password_is_set()
    {
        using var published = await PublishAsync("docker-compose", [.. Everything, "--model-volume", "/srv/models"]);
        var command = Tools.ComposeCommand!;
        var file = Path.Combine(published.Output, "docker-compose.yaml");
        string[] arguments = [.. command[1..], "--project-directory", published.Output, "-f", file, "config", "-q"];
        var unset = Tools.Run(command[0], arguments)!.Value;
        Assert.NotEqual(0, unset.ExitCode);
        Assert.Contains("REDIS_PASSWORD", unset.Errors, StringComparison.Ordinal);
        var env = Path.Combine(published.Output, ".env");
        await File.WriteAllTextAsync(env, published.Read(".env").Replace("REDIS_PASSWORD=", "REDIS_PASSWORD=x", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var accepted = Tools.Run(command[0], arguments)!.Value;
        Assert.True(accepted.ExitCode == 0, accepted.Errors);
    }

    private static async Task<PublishedApplication> PublishAsync(string publisher, string[] options)
    {
        var published = new PublishedApplication(publisher);
        published.Builder.AddCluster(options);
        Assert.True(published.Builder.AddPublishTargets());
        return await published.RunAsync();
    }
}
