using NanoAspire.Tests;

namespace NanoAspire.Hosting.Tests.Publishing.Images;

public sealed class DockerfileTests
{
    private static readonly string[] Ignored = [.. File.ReadAllLines(Path.Combine(RepositoryPaths.Root, ".dockerignore")).Where(l => l.Length > 0 && l[0] is not ('#' or '*'))];

    [Theory]
    [InlineData("Ctrl")]
    [InlineData("Router")]
    [InlineData("PrefillEngine")]
    [InlineData("DecodeEngine")]
    public void The_image_of_each_service_keeps_the_rules(string service)
    {
        var text = File.ReadAllText(Path.Combine(RepositoryPaths.Root, service, "Dockerfile"));
        Assert.Empty(DockerfileRules.Check(text, RepositoryPaths.Root, Ignored));
        Assert.Contains(new Dockerfile(text).Of("ENTRYPOINT"), e => e == $"[\"dotnet\", \"{service}.dll\"]");
        Assert.Contains($"dotnet publish {service}/{service}.csproj", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_choice_of_the_engines_runtime_is_a_stage()
    {
        var text = File.ReadAllText(Path.Combine(RepositoryPaths.Root, "DecodeEngine", "Dockerfile"));
        foreach (var runtime in new[] { "cpu", "cuda" }) Assert.Empty(DockerfileRules.Check(text.Replace("ARG RUNTIME=cpu", $"ARG RUNTIME={runtime}", StringComparison.Ordinal), RepositoryPaths.Root, Ignored));
        Assert.Contains(DockerfileRules.Check(text.Replace("ARG RUNTIME=cpu", "ARG RUNTIME=tpu", StringComparison.Ordinal), RepositoryPaths.Root, Ignored), p => p.Contains("runtime-tpu", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("USER $APP_UID", "USER root", "other than root")]
    [InlineData("USER $APP_UID", "", "other than root")]
    [InlineData("ARG DOTNET=10.0", "", "no ARG")]
    [InlineData("--from=build", "--from=built", "no earlier stage")]
    [InlineData("-noble-chiseled AS final", "-noble-chiseled", "no stage name")]
    [InlineData("Ctrl/Ctrl.csproj", "Ctrl/Control.csproj", "no Ctrl/Control.csproj")]
    [InlineData("COPY . .", "COPY nowhere .", "not in the repository")]
    [InlineData("COPY . .", "COPY tests .", "left out")]
    [InlineData("EXPOSE 8080", "EXPOSED 8080", "unknown instruction")]
    public void A_broken_image_is_found(string valid, string broken, string problem)
    {
        var text = File.ReadAllText(Path.Combine(RepositoryPaths.Root, "Ctrl", "Dockerfile"));
        Assert.Contains(valid, text, StringComparison.Ordinal);
        Assert.Contains(DockerfileRules.Check(text.Replace(valid, broken, StringComparison.Ordinal), RepositoryPaths.Root, Ignored), p => p.Contains(problem, StringComparison.Ordinal));
    }
}
