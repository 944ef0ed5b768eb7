namespace Aspire.Hosting.ApplicationModel;

/// <summary>An endpoint by resource and name; it may be declared later than the reference.</summary>
public sealed class EndpointReference : IManifestExpressionProvider, IValueProvider, IValueWithReferences
{
    private EndpointAnnotation? _annotation;

    public EndpointReference(IResourceWithEndpoints owner, EndpointAnnotation endpoint)
    {
        Resource = owner;
        EndpointName = endpoint.Name;
        _annotation = endpoint;
    }

    public EndpointReference(IResourceWithEndpoints owner, string endpointName)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentException.ThrowIfNullOrEmpty(endpointName);
        Resource = owner;
        EndpointName = endpointName;
    }

    public IResourceWithEndpoints Resource { get; }
    public string EndpointName { get; }

    /// <exception cref="InvalidOperationException">The resource has no endpoint of that name.</exception>
    public EndpointAnnotation EndpointAnnotation => Find()
        ?? throw new InvalidOperationException($"The endpoint `{EndpointName}` is not defined for the resource `{Resource.Name}`.");

    public bool Exists => Find() is not null;
    public bool IsAllocated => Find()?.AllocatedEndpoint is not null;
    public bool IsHttp => Scheme == "http";
    public bool IsHttps => Scheme == "https";
    public string Scheme => EndpointAnnotation.UriScheme;
    public int? TargetPort => EndpointAnnotation.TargetPort;

    /// <exception cref="InvalidOperationException">Ports have not been given out yet.</exception>
    public string Url => Allocated.UriString;
    /// <inheritdoc cref="Url"/>
    public string Host => Allocated.Address;
    /// <inheritdoc cref="Url"/>
    public int Port => Allocated.Port;

    public string ValueExpression => $"{{{Resource.Name}.bindings.{EndpointName}.url}}";
    IEnumerable<object> IValueWithReferences.References => [Resource];

    public EndpointReferenceExpression Property(EndpointProperty property) => new(this, property);

    /// <summary>The URL, as soon as ports have been given out.</summary>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => Property(EndpointProperty.Url).GetValueAsync(cancellationToken);

    public ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken = default) =>
        Property(EndpointProperty.Url).GetValueAsync(context, cancellationToken);

    private AllocatedEndpoint Allocated => EndpointAnnotation.AllocatedEndpoint
        ?? throw new InvalidOperationException($"The endpoint `{EndpointName}` is not allocated for the resource `{Resource.Name}`.");

    private EndpointAnnotation? Find() => _annotation ??= Resource.Annotations.OfType<EndpointAnnotation>()
        .FirstOrDefault(e => string.Equals(e.Name, EndpointName, StringComparison.OrdinalIgnoreCase));
}
