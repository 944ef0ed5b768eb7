using System.Globalization;
using NanoAspire.Hosting.Run;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>One part of an endpoint's address, as a value.</summary>
public class EndpointReferenceExpression(EndpointReference endpointReference, EndpointProperty property) :
    IManifestExpressionProvider, IValueProvider, IValueWithReferences
{
    public EndpointReference Endpoint { get; } = endpointReference ?? throw new ArgumentNullException(nameof(endpointReference));
    public EndpointProperty Property { get; } = property;

    public string ValueExpression => Property switch
    {
        EndpointProperty.Url => Binding("url"),
        EndpointProperty.Host or EndpointProperty.IPV4Host => Binding("host"),
        EndpointProperty.Port => Binding("port"),
        EndpointProperty.Scheme => Binding("scheme"),
        EndpointProperty.TargetPort => Binding("targetPort"),
        EndpointProperty.HostAndPort => $"{Binding("host")}:{Binding("port")}",
        _ => throw new InvalidOperationException($"The property '{Property}' is not supported for the endpoint '{Endpoint.EndpointName}'."),
    };

    IEnumerable<object> IValueWithReferences.References => [Endpoint];

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => GetValueAsync(new ValueProviderContext(), cancellationToken);

    public async ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken = default)
    {
        var annotation = Endpoint.EndpointAnnotation;
        if (Property == EndpointProperty.Scheme) return annotation.UriScheme;
        if (Property == EndpointProperty.TargetPort) return TargetPort(annotation, context).ToString(CultureInfo.InvariantCulture);

        var allocated = await annotation.WaitForAllocationAsync(cancellationToken).ConfigureAwait(false);
        var (host, port) = AddressFor(context, annotation, allocated);
        return Property switch
        {
            EndpointProperty.Url => string.Create(CultureInfo.InvariantCulture, $"{annotation.UriScheme}://{host}:{port}"),
            EndpointProperty.Host => host,
            EndpointProperty.IPV4Host => host == "localhost" ? "127.0.0.1" : host,
            EndpointProperty.Port => port.ToString(CultureInfo.InvariantCulture),
            EndpointProperty.HostAndPort => string.Create(CultureInfo.InvariantCulture, $"{host}:{port}"),
            _ => throw new InvalidOperationException($"The property '{Property}' is not supported for the endpoint '{Endpoint.EndpointName}'."),
        };
    }

    /// <summary>A container reaches other containers by name at the port that they bind, and processes through the host's address.</summary>
    private (string Host, int Port) AddressFor(ValueProviderContext context, EndpointAnnotation annotation, AllocatedEndpoint allocated)
    {
        if (context.Containers is not { } network)
        {
            var isContainer = context.Caller is { } caller && caller.IsContainer();
            return (isContainer ? ContainerNetwork.HostName : allocated.Address, allocated.Port);
        }
        if (network.Has(Endpoint.Resource)) return (ContainerNetwork.AliasOf(Endpoint.Resource), annotation.TargetPort ?? allocated.Port);
        if (annotation.TargetHost is "localhost" or "127.0.0.1") network.Expose(allocated.Port);
        return (ContainerNetwork.HostName, allocated.Port);
    }

    private string Binding(string part) => $"{{{Endpoint.Resource.Name}.bindings.{Endpoint.EndpointName}.{part}}}";

    /// <summary>Differs per replica: each instance learns its own. Others only see a port that was fixed in the model.</summary>
    private int TargetPort(EndpointAnnotation annotation, ValueProviderContext context)
    {
        if (context.Instance is { } instance && ReferenceEquals(instance.Resource, Endpoint.Resource) &&
            instance.TargetPorts.TryGetValue(annotation.Name, out var own)) return own;
        return annotation.TargetPort ?? throw new InvalidOperationException(
            $"The target port of endpoint '{annotation.Name}' of '{Endpoint.Resource.Name}' is known only to its own replicas.");
    }
}
