using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting;

public static partial class ResourceBuilderExtensions
{
    /// <summary>Adds something that can be done to the resource while it runs; a command of the same name is replaced.</summary>
    [OverloadResolutionPriority(1)]
    public static IResourceBuilder<T> WithCommand<T>(this IResourceBuilder<T> builder, string name, string displayName,
        Func<ExecuteCommandContext, Task<ExecuteCommandResult>> executeCommand, CommandOptions? commandOptions = null) where T : IResource
    {
        var options = commandOptions ?? CommandOptions.Default;
        foreach (var old in builder.Resource.Annotations.OfType<ResourceCommandAnnotation>().Where(c => c.Name == name).ToArray()) builder.Resource.Annotations.Remove(old);
        return builder.WithAnnotation(new ResourceCommandAnnotation(name, displayName, options.UpdateState ?? (_ => ResourceCommandState.Enabled), executeCommand,
            options.Description, options.Parameter, options.ConfirmationMessage, options.IconName, options.IconVariant, options.IsHighlighted));
    }

    /// <summary>Adds a command that is an HTTP request to the resource.</summary>
    public static IResourceBuilder<TResource> WithHttpCommand<TResource>(this IResourceBuilder<TResource> builder, string path, string displayName,
        string? endpointName = null, string? commandName = null, HttpCommandOptions? commandOptions = null) where TResource : IResourceWithEndpoints =>
        builder.WithHttpCommand(path, displayName, endpointName is null ? null : () => builder.GetEndpoint(endpointName), commandName, commandOptions);

    /// <inheritdoc cref="WithHttpCommand{TResource}(IResourceBuilder{TResource}, string, string, string?, string?, HttpCommandOptions?)"/>
    public static IResourceBuilder<TResource> WithHttpCommand<TResource>(this IResourceBuilder<TResource> builder, string path, string displayName,
        Func<EndpointReference>? endpointSelector, string? commandName = null, HttpCommandOptions? commandOptions = null) where TResource : IResourceWithEndpoints
    {
        var options = commandOptions ?? HttpCommandOptions.Default;
        var endpoint = (endpointSelector ?? options.EndpointSelector ?? (() => DefaultHttpEndpoint(builder.Resource)))();
        var method = options.Method ?? HttpMethod.Post;
        var name = commandName ?? $"{builder.Resource.Name}-{endpoint.EndpointName}-http-{method.Method.ToLowerInvariant()}-{path}";
        var shown = new CommandOptions
        {
            Description = options.Description,
            Parameter = options.Parameter,
            ConfirmationMessage = options.ConfirmationMessage,
            IconName = options.IconName,
            IconVariant = options.IconVariant,
            IsHighlighted = options.IsHighlighted,
            UpdateState = options.UpdateState ?? (context => context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled),
        };
        return builder.WithCommand(name, displayName, context => SendAsync(context, endpoint, path, method, options), shown);
    }

    private static async Task<ExecuteCommandResult> SendAsync(ExecuteCommandContext context, EndpointReference endpoint, string path, HttpMethod method, HttpCommandOptions options)
    {
        if (!endpoint.IsAllocated) return CommandResults.Failure("Endpoints are not yet allocated.");
        using var client = context.ServiceProvider.GetRequiredService<IHttpClientFactory>().CreateClient(options.HttpClientName ?? "");
        using var request = new HttpRequestMessage(method, new Uri(new Uri(endpoint.Url), path));
        if (options.PrepareRequest is { } prepare)
        {
            await prepare(new HttpCommandRequestContext
            {
                ServiceProvider = context.ServiceProvider,
                ResourceName = context.ResourceName,
                Endpoint = endpoint,
                CancellationToken = context.CancellationToken,
                HttpClient = client,
                Request = request,
            }).ConfigureAwait(false);
        }
        try
        {
            using var response = await client.SendAsync(request, context.CancellationToken).ConfigureAwait(false);
            if (options.GetCommandResult is { } judge)
            {
                return await judge(new HttpCommandResultContext
                {
                    ServiceProvider = context.ServiceProvider,
                    ResourceName = context.ResourceName,
                    Endpoint = endpoint,
                    CancellationToken = context.CancellationToken,
                    HttpClient = client,
                    Response = response,
                }).ConfigureAwait(false);
            }
            return response.IsSuccessStatusCode ? CommandResults.Success() : CommandResults.Failure($"Request failed with status code {(int)response.StatusCode}");
        }
        catch (HttpRequestException e)
        {
            return CommandResults.Failure(e);
        }
    }
}
