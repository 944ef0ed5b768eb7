namespace NanoAspire.Hosting.Tests.Model;

public sealed class BuilderTests
{
    [Theory]
    [InlineData(true, "manifest")]
    [InlineData(false, "manifest", "--operation", "RUN")]
    [InlineData(false, "manifest")]
    [InlineData(true, "kubernetes", "--publisher", "kubernetes")]
    [InlineData(true, "manifest", "--operation", "publish")]
    public void The_operation_comes_from_the_arguments(bool publish, string publisher, params string[] args)
    {
        var builder = DistributedApplication.CreateBuilder(publish && args.Length == 0 ? ["--publisher", "manifest"] : args);
        Assert.Equal(publish, builder.ExecutionContext.IsPublishMode);
        Assert.Equal(publisher, builder.ExecutionContext.PublisherName);
    }

    [Fact]
    public void An_unknown_operation_is_refused() =>
        Assert.Throws<DistributedApplicationException>(() => DistributedApplication.CreateBuilder(["--operation", "fly"]));

    [Fact]
    public void Resources_are_found_again_by_name_in_any_case()
    {
        var builder = DistributedApplication.CreateBuilder();
        builder.AddProject("web", "web.csproj", launchProfileName: null);
        Assert.Equal("web", builder.CreateResourceBuilder<ProjectResource>("WEB").Resource.Name);
        Assert.False(builder.TryCreateResourceBuilder<RedisResource>("web", out _));
        Assert.Throws<InvalidOperationException>(() => builder.CreateResourceBuilder<ProjectResource>("other"));
    }

    [Fact]
    public void A_replacing_annotation_removes_those_of_its_exact_type()
    {
        var project = DistributedApplication.CreateBuilder().AddProject("web", "web.csproj", launchProfileName: null).WithReplicas(2).WithReplicas(3);
        Assert.Equal(3, project.Resource.GetReplicaCount());
        Assert.Single(project.Resource.Annotations.OfType<ReplicaAnnotation>());
    }

    [Fact]
    public void Generated_metadata_knows_the_project_and_its_assembly()
    {
        var folder = Path.GetDirectoryName(Projects.Hosting_SampleAppHost.ProjectPath)!;
        Assert.Equal("Hosting.SampleAppHost", Path.GetFileName(Projects.Hosting_SampleAppHost.ProjectPath));
        var metadata = (IBuiltProjectMetadata)Activator.CreateInstance(typeof(Projects.Hosting_SampleAppHost).Assembly.GetType("Projects.Hosting_SampleService")!)!;
        Assert.Equal(Path.Combine(folder, "Hosting.SampleService", "Hosting.SampleService.csproj"), metadata.ProjectPath);
        Assert.True(File.Exists(metadata.TargetPath));
        Assert.True(metadata.SuppressBuild);
    }

    [Fact]
    public void A_launch_profile_gives_endpoints_variables_and_arguments()
    {
        var folder = Directory.CreateTempSubdirectory("nanoaspire-");
        try
        {
            Directory.CreateDirectory(Path.Combine(folder.FullName, "Properties"));
            File.WriteAllText(Path.Combine(folder.FullName, "Properties", "launchSettings.json"), """
                { "profiles": { "container": { "commandName": "Docker" }, /* skipped */
                  "dev": { "commandName": "Project", "applicationUrl": "http://localhost:5001;http://localhost:5002;https://localhost:5003",
                           "commandLineArgs": "one \"two three\"", "environmentVariables": { "A": "1" } } } }
                """);
            var builder = DistributedApplication.CreateBuilder();
            var project = builder.AddProject("web", Path.Combine(folder.FullName, "web.csproj")).Resource;
            Assert.Equal([("http", 5001), ("http2", 5002), ("https", 5003)], project.Annotations.OfType<EndpointAnnotation>().Select(e => (e.Name, e.Port!.Value)));
            Assert.Throws<DistributedApplicationException>(() => builder.AddProject("other", Path.Combine(folder.FullName, "web.csproj"), "missing"));
            Assert.Empty(builder.AddProject("plain", Path.Combine(folder.FullName, "web.csproj"), launchProfileName: null).Resource.Annotations.OfType<EndpointAnnotation>());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
