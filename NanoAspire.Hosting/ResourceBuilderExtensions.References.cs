using System.Text;

namespace Aspire.Hosting;

public static partial class ResourceBuilderExtensions
{
    /// <summary>Gives the resource the connection string and its parts as variables.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder,
        IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false) where TDestination : IResourceWithEnvironment
    {
        var resource = source.Resource;
        return builder.Relate(resource, KnownRelationshipTypes.Reference).WithEnvironment(context =>
        {
            var flags = Flags(builder.Resource);
            var name = connectionName ?? resource.Name;
            if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ConnectionString))
            {
                var variable = resource.ConnectionStringEnvironmentVariable ?? $"ConnectionStrings__{name}";
                context.EnvironmentVariables[variable] = new ConnectionStringReference(resource, optional) { ConnectionName = name };
            }
            if (!flags.HasFlag(ReferenceEnvironmentInjectionFlags.ConnectionProperties) || NanoAspire.Hosting.Run.Availability.IsUnavailable(resource)) return;
            foreach (var (property, value) in resource.GetConnectionProperties())
            {
                context.EnvironmentVariables[$"{VariableName(name)}_{VariableName(property)}"] = value;
            }
        });
    }

    /// <summary>Gives the resource the URLs of all endpoints of another one.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder,
        IResourceBuilder<IResourceWithServiceDiscovery> source) where TDestination : IResourceWithEnvironment =>
        builder.ReferTo(source.Resource, endpointName: null, name: null);

    /// <inheritdoc cref="WithReference{TDestination}(IResourceBuilder{TDestination}, IResourceBuilder{IResourceWithServiceDiscovery})"/>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder,
        IResourceBuilder<IResourceWithServiceDiscovery> source, string name) where TDestination : IResourceWithEnvironment =>
        builder.ReferTo(source.Resource, endpointName: null, name);

    /// <summary>Gives the resource the URL of one endpoint.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, EndpointReference endpointReference)
        where TDestination : IResourceWithEnvironment => builder.ReferTo(endpointReference.Resource, endpointReference.EndpointName, name: null);

    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, string name, Uri uri)
        where TDestination : IResourceWithEnvironment
    {
        ExternalServiceResource.Checked(uri);
        return builder.WithEnvironment(context =>
        {
            var flags = Flags(builder.Resource);
            if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ServiceDiscovery)) context.EnvironmentVariables[$"services__{name}__default__0"] = uri.ToString();
            if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.Endpoints)) context.EnvironmentVariables[name] = uri.ToString();
        });
    }

    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder,
        IResourceBuilder<ExternalServiceResource> externalService) where TDestination : IResourceWithEnvironment
    {
        var service = externalService.Resource;
        return builder.Relate(service, KnownRelationshipTypes.Reference).WithEnvironment(async context =>
        {
            var flags = Flags(builder.Resource);
            object value;
            string scheme;
            if (context.ExecutionContext.IsPublishMode && service.UrlParameter is { } parameter)
            {
                (value, scheme) = (parameter, "default");
            }
            else
            {
                var uri = await service.GetUriAsync(context.CancellationToken).ConfigureAwait(false);
                (value, scheme) = (uri.ToString(), uri.Scheme);
            }
            if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ServiceDiscovery)) context.EnvironmentVariables[$"services__{service.Name}__{scheme}__0"] = value;
            if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.Endpoints)) context.EnvironmentVariables[VariableName(service.Name)] = value;
        });
    }

    /// <summary>Limits which variables references put into this resource.</summary>
    public static IResourceBuilder<TDestination> WithReferenceEnvironment<TDestination>(this IResourceBuilder<TDestination> builder, ReferenceEnvironmentInjectionFlags flags)
        where TDestination : IResourceWithEnvironment =>
        builder.WithAnnotation(new ReferenceEnvironmentInjectionAnnotation(flags), ResourceAnnotationMutationBehavior.Replace);

    private static IResourceBuilder<TDestination> ReferTo<TDestination>(this IResourceBuilder<TDestination> builder, IResourceWithEndpoints source,
        string? endpointName, string? name) where TDestination : IResourceWithEnvironment =>
        builder.Relate(source, KnownRelationshipTypes.Reference).WithEnvironment(context =>
        {
            var flags = Flags(builder.Resource);
            foreach (var endpoint in source.GetEndpoints())
            {
                if (endpointName is not null && !string.Equals(endpoint.EndpointName, endpointName, StringComparison.OrdinalIgnoreCase)) continue;
                if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.Endpoints))
                {
                    context.EnvironmentVariables[$"{name ?? VariableName(source.Name)}_{VariableName(endpoint.EndpointName)}"] = endpoint;
                }
                if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ServiceDiscovery))
                {
                    context.EnvironmentVariables[$"services__{name ?? source.Name}__{endpoint.EndpointName}__0"] = endpoint;
                }
            }
        });

    private static ReferenceEnvironmentInjectionFlags Flags(IResource destination) =>
        destination.TryGetLastAnnotation<ReferenceEnvironmentInjectionAnnotation>(out var annotation) ? annotation.Flags : ReferenceEnvironmentInjectionFlags.All;

    /// <summary>Upper case, everything but letters and digits as underscore.</summary>
    private static string VariableName(string name)
    {
        var result = new StringBuilder(name.Length);
        foreach (var c in name) result.Append(char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_');
        return result.ToString();
    }
}
