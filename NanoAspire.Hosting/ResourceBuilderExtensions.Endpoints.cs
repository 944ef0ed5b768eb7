using System.Net.Sockets;

namespace Aspire.Hosting;

/// <summary>The vocabulary of the model: endpoints, environment, references, waits, health, commands.</summary>
public static partial class ResourceBuilderExtensions
{
    /// <summary>Declares an endpoint. <paramref name="env"/> names the variable that tells the process its own port.</summary>
    /// <exception cref="DistributedApplicationException">The resource has an endpoint of that name.</exception>
    public static IResourceBuilder<T> WithEndpoint<T>(this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? scheme = null,
        string? name = null, string? env = null, bool isProxied = true, bool? isExternal = null, ProtocolType? protocol = null) where T : IResourceWithEndpoints
    {
        var annotation = new EndpointAnnotation(protocol ?? ProtocolType.Tcp, uriScheme: scheme, name: name, port: port, targetPort: targetPort,
            isExternal: isExternal, isProxied: isProxied) { TargetPortEnvironmentVariable = env };
        if (builder.Resource.Annotations.OfType<EndpointAnnotation>().Any(e => string.Equals(e.Name, annotation.Name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new DistributedApplicationException(
                $"Resource '{builder.Resource.Name}' already has an endpoint named '{annotation.Name}': pass a different name (it defaults to the scheme).");
        }
        if (env is not null && builder.Resource is IResourceWithEnvironment)
        {
            var reference = new EndpointReference(builder.Resource, annotation);
            builder.WithAnnotation(new EnvironmentCallbackAnnotation(context => context.EnvironmentVariables[env] = reference.Property(EndpointProperty.TargetPort)));
        }
        return builder.WithAnnotation(annotation);
    }

    public static IResourceBuilder<T> WithEndpoint<T>(this IResourceBuilder<T> builder, int? port, int? targetPort, string? scheme, string? name, string? env,
        bool isProxied, bool? isExternal) where T : IResourceWithEndpoints =>
        builder.WithEndpoint(port, targetPort, scheme, name, env, isProxied, isExternal, protocol: null);

    /// <summary>Changes an endpoint, or declares it first.</summary>
    public static IResourceBuilder<T> WithEndpoint<T>(this IResourceBuilder<T> builder, string endpointName, Action<EndpointAnnotation> callback,
        bool createIfNotExists = true) where T : IResourceWithEndpoints
    {
        var endpoint = builder.Resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(e => string.Equals(e.Name, endpointName, StringComparison.OrdinalIgnoreCase));
        if (endpoint is null)
        {
            if (!createIfNotExists) return builder;
            endpoint = new EndpointAnnotation(ProtocolType.Tcp, name: endpointName);
            callback(endpoint);
            return builder.WithAnnotation(endpoint);
        }
        callback(endpoint);
        return builder;
    }

    public static IResourceBuilder<T> WithHttpEndpoint<T>(this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? name = null,
        string? env = null, bool isProxied = true) where T : IResourceWithEndpoints =>
        builder.WithEndpoint(port: port, targetPort: targetPort, scheme: "http", name: name, env: env, isProxied: isProxied);

    public static IResourceBuilder<T> WithHttpsEndpoint<T>(this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? name = null,
        string? env = null, bool isProxied = true) where T : IResourceWithEndpoints =>
        builder.WithEndpoint(port: port, targetPort: targetPort, scheme: "https", name: name, env: env, isProxied: isProxied);

    /// <summary>Marks every http and https endpoint declared so far as reachable from outside.</summary>
    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder) where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.IsHttp)) endpoint.IsExternal = true;
        return builder;
    }

    /// <summary>Makes http and https endpoints speak HTTP/2 only.</summary>
    public static IResourceBuilder<T> AsHttp2Service<T>(this IResourceBuilder<T> builder) where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.IsHttp)) endpoint.Transport = "http2";
        return builder;
    }

    /// <summary>The endpoint by name, whether it is declared yet or not.</summary>
    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name) where T : IResourceWithEndpoints =>
        new(builder.Resource, name);

    /// <inheritdoc cref="GetEndpoint{T}(IResourceBuilder{T}, string)"/>
    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name, NetworkIdentifier contextNetworkID) where T : IResourceWithEndpoints =>
        new(builder.Resource, name);

    public static IResourceBuilder<T> WithUrl<T>(this IResourceBuilder<T> builder, string url, string? displayText = null) where T : IResource =>
        builder.WithAnnotation(new ResourceUrlAnnotation { Url = url, DisplayText = displayText });

    public static IResourceBuilder<T> WithUrl<T>(this IResourceBuilder<T> builder, in ReferenceExpression.ExpressionInterpolatedStringHandler url,
        string? displayText = null) where T : IResource => builder.WithUrl(url.GetExpression(), displayText);

    public static IResourceBuilder<T> WithUrl<T>(this IResourceBuilder<T> builder, ReferenceExpression url, string? displayText = null) where T : IResource =>
        builder.WithUrls(async context =>
        {
            if (await url.GetValueAsync(context.CancellationToken).ConfigureAwait(false) is { } text)
            {
                context.Urls.Add(new ResourceUrlAnnotation { Url = text, DisplayText = displayText });
            }
        });

    public static IResourceBuilder<T> WithUrlForEndpoint<T>(this IResourceBuilder<T> builder, string endpointName, Action<ResourceUrlAnnotation> callback) where T : IResource =>
        builder.WithUrls(context =>
        {
            foreach (var url in context.Urls.Where(u => string.Equals(u.Endpoint?.EndpointName, endpointName, StringComparison.OrdinalIgnoreCase))) callback(url);
        });

    public static IResourceBuilder<T> WithUrlForEndpoint<T>(this IResourceBuilder<T> builder, string endpointName, Func<EndpointReference, ResourceUrlAnnotation> callback)
        where T : IResourceWithEndpoints => builder.WithUrls(context =>
        {
            if (context.GetEndpoint(endpointName) is { } endpoint) context.Urls.Add(callback(endpoint));
        });

    public static IResourceBuilder<T> WithUrls<T>(this IResourceBuilder<T> builder, Action<ResourceUrlsCallbackContext> callback) where T : IResource =>
        builder.WithAnnotation(new ResourceUrlsCallbackAnnotation(callback));

    public static IResourceBuilder<T> WithUrls<T>(this IResourceBuilder<T> builder, Func<ResourceUrlsCallbackContext, Task> callback) where T : IResource =>
        builder.WithAnnotation(new ResourceUrlsCallbackAnnotation(callback));
}
