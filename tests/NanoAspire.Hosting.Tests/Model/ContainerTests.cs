namespace NanoAspire.Hosting.Tests.Model;

public sealed class ContainerTests
{
    [Theory]
    [InlineData("redis", "redis:latest")]
    [InlineData("redis:8.2", "redis:8.2")]
    [InlineData("library/redis", "library/redis:latest")]
    [InlineData("docker.io/library/redis:8", "docker.io/library/redis:8")]
    [InlineData("localhost:5000/app", "localhost:5000/app:latest")]
    [InlineData("registry:5000/team/app:1", "registry:5000/team/app:1")]
    [InlineData("ghcr.io/a/b@sha256:abc", "ghcr.io/a/b@sha256:abc")]
    public void An_image_is_read_as_people_write_it(string given, string image)
    {
        var container = DistributedApplication.CreateBuilder().AddContainer("one", given);
        Assert.True(container.Resource.TryGetContainerImageName(out var name));
        Assert.Equal(image, name);
    }

    [Theory]
    [InlineData("registry.io/")]
    [InlineData("app:")]
    [InlineData("app@sha256:")]
    [InlineData(" ")]
    public void An_image_with_an_empty_part_is_refused(string image) => Assert.Throws<ArgumentException>(() => DistributedApplication.CreateBuilder().AddContainer("one", image));

    [Fact]
    public void Parts_of_an_image_are_replaced_one_by_one()
    {
        var container = DistributedApplication.CreateBuilder().AddContainer("one", "a.io/x", "1").WithImageTag("2").WithImageRegistry("b.io");
        Assert.Equal("b.io/x:2", Name());
        container.WithImage("y");
        Assert.Equal("b.io/y:latest", Name());
        container.WithImageSHA256("abc");
        Assert.Equal("b.io/y@sha256:abc", Name());
        Assert.Throws<ArgumentException>(() => container.WithImage("y:1", "2"));

        string Name() => container.Resource.TryGetContainerImageName(out var name) ? name : "";
    }

    [Fact]
    public void Relative_folders_start_at_the_hosts()
    {
        var host = Path.GetTempPath();
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { ProjectDirectory = host });
        var container = builder.AddDockerfile("one", "../app", stage: "final").WithBindMount("data", "/data").WithVolume("/tmp/x").WithBuildArg("A", 1).WithLifetime(ContainerLifetime.Persistent).WithContainerName("c");
        Assert.True(container.Resource.TryGetLastAnnotation<DockerfileBuildAnnotation>(out var build));
        var context = Path.GetFullPath("../app", host);
        Assert.Equal((context, Path.Combine(context, "Dockerfile"), "final"), (build.ContextPath, build.DockerfilePath, build.Stage));
        Assert.Equal(1, build.BuildArguments["A"]);
        Assert.True(container.Resource.TryGetContainerMounts(out var mounts));
        Assert.Equal([(Path.Combine(host, "data"), ContainerMountType.BindMount), ((string?)null, ContainerMountType.Volume)], mounts.Select(m => (m.Source, m.Type)));
        Assert.True(container.Resource.IsContainer());
        Assert.Throws<InvalidOperationException>(() => builder.AddContainer("two", "x").WithBuildArg("A", 1));
    }

    [Fact]
    public void A_program_that_is_published_from_a_Dockerfile_stays_itself_in_a_run()
    {
        var run = DistributedApplication.CreateBuilder();
        run.AddExecutable("tool", "tool", "/tools", "--a").PublishAsDockerFile();
        Assert.IsType<ExecutableResource>(Assert.Single(run.Resources));

        var publish = DistributedApplication.CreateBuilder(["--publisher", "manifest"]);
        publish.AddContainer("before", "x");
        publish.AddExecutable("tool", "tool", "/tools", "--a").WithHttpEndpoint().PublishAsDockerFile(c => c.WithBuildArg("X", "y"));
        publish.AddContainer("after", "x");
        Assert.Equal(["before", "tool", "after"], publish.Resources.Select(r => r.Name));
        var container = Assert.IsAssignableFrom<ContainerResource>(publish.Resources[1]);
        Assert.Equal(8080, Assert.Single(container.Annotations.OfType<EndpointAnnotation>()).TargetPort);
        Assert.Empty(container.Annotations.OfType<CommandLineArgsCallbackAnnotation>());
        Assert.Equal("/tools", container.Annotations.OfType<DockerfileBuildAnnotation>().Single().ContextPath);
    }
}
