using NanoAspire.AppHost;
using NanoAspire.AppHost.Deployment;

namespace NanoAspire.Hosting.Tests.Publishing;

/// <summary>The cluster as the host program declares it, with projects by path.</summary>
internal static class ClusterModel
{
    public static (IResourceBuilder<ProjectResource> Prefill, IResourceBuilder<ProjectResource> Decode) AddCluster(this IDistributedApplicationBuilder builder, params string[] options)
    {
        var cluster = ClusterOptions.Parse(options) ?? throw new ArgumentException("the options are wrong", nameof(options));
        var model = builder.FindModel(cluster.Model)!;
        var redis = builder.AddRedis("redis").WithPublishedVolume("redis-data");
        var ctrl = builder.Project("ctrl", "Ctrl").WithArgs("server").WithHttpEndpoint(port: builder.DevelopmentPort(4479))
            .WithReference(redis).WaitFor(redis).WithHttpHealthCheck("/health").AsService("/health");
        var prefill = builder.Project("prefill", "PrefillEngine").AsEngine(model, cluster, replicas: cluster.Prefill).WithReference(ctrl).WaitFor(ctrl);
        var decode = builder.Project("decode", "DecodeEngine").AsEngine(model, cluster, replicas: cluster.Decode, mode: "decode").WithReference(ctrl).WaitFor(ctrl);
        builder.Project("router", "Router").WithScope(cluster).WithHttpEndpoint(port: builder.DevelopmentPort(8080)).WithExternalHttpEndpoints()
            .WithReference(ctrl).WaitFor(ctrl).WithHttpHealthCheck("/ready").AsService("/ready");
        return (prefill, decode);
    }

    private static IResourceBuilder<ProjectResource> Project(this IDistributedApplicationBuilder builder, string name, string folder) =>
        builder.AddProject(name, $"../{folder}/{folder}.csproj", launchProfileName: null);
}
