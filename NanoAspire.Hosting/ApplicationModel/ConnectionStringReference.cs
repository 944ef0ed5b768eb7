namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource's connection string as an environment value.</summary>
public class ConnectionStringReference(IResourceWithConnectionString resource, bool optional) : IManifestExpressionProvider, IValueProvider, IValueWithReferences
{
    public IResourceWithConnectionString Resource { get; } = resource;
    public bool Optional { get; } = optional;
    public string? ConnectionName { get; init; }
    public string ValueExpression => Resource.ValueExpression;
    IEnumerable<object> IValueWithReferences.References => [Resource];

    /// <exception cref="DistributedApplicationException">There is none, and the reference is not optional.</exception>
    public async ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken = default)
    {
        if (NanoAspire.Hosting.Run.Availability.IsUnavailable(Resource)) return null;
        var value = await Resource.GetValueAsync(context, cancellationToken).ConfigureAwait(false);
        if (!string.IsNullOrEmpty(value) || Optional) return value;
        throw new DistributedApplicationException($"The connection string for the resource '{Resource.Name}' is not available.");
    }

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => GetValueAsync(new ValueProviderContext(), cancellationToken);
}
