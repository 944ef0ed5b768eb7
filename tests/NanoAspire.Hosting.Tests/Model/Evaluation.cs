using Microsoft.Extensions.DependencyInjection;
using NanoAspire.Hosting.Run;

namespace NanoAspire.Hosting.Tests.Model;

/// <summary>Evaluates a model as the orchestrator would, without starting anything.</summary>
internal static class Evaluation
{
    private static readonly ResourceLoggerService Logs = new(new ServiceCollection().BuildServiceProvider());

    public static void Allocate(this IResourceBuilder<IResourceWithEndpoints> builder, string endpoint, int port) =>
        builder.Resource.Annotations.OfType<EndpointAnnotation>().Single(e => e.Name == endpoint).AllocatedEndpoint =
            new AllocatedEndpoint(builder.Resource.Annotations.OfType<EndpointAnnotation>().Single(e => e.Name == endpoint), "localhost", port);

    public static Task<Dictionary<string, string>> EnvironmentAsync(this IResourceBuilder<IResource> builder, params (string Endpoint, int Port)[] targets) =>
        ResourceEnvironment.VariablesAsync(builder.Resource, Context(builder, targets), builder.ApplicationBuilder.ExecutionContext, Logs, TestContext.Current.CancellationToken);

    public static Task<List<string>> ArgumentsAsync(this IResourceBuilder<IResource> builder, params (string Endpoint, int Port)[] targets) =>
        ResourceEnvironment.ArgumentsAsync(builder.Resource, Context(builder, targets), builder.ApplicationBuilder.ExecutionContext, Logs, TestContext.Current.CancellationToken);

    private static ValueProviderContext Context(IResourceBuilder<IResource> builder, (string Endpoint, int Port)[] targets)
    {
        var instance = new ResourceInstance(builder.Resource, 0);
        foreach (var (endpoint, port) in targets) instance.TargetPorts = instance.TargetPorts.Add(endpoint, port);
        return new ValueProviderContext { ExecutionContext = builder.ApplicationBuilder.ExecutionContext, Caller = builder.Resource, Instance = instance };
    }
}
