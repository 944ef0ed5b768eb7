namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that clients reach by a connection string. Only <see cref="ConnectionStringExpression"/> must be written.</summary>
public interface IResourceWithConnectionString : IResource, IManifestExpressionProvider, IValueProvider, IValueWithReferences
{
    ReferenceExpression ConnectionStringExpression { get; }

    /// <summary>The variable that carries the connection string, where it is not <c>ConnectionStrings__{name}</c>.</summary>
    string? ConnectionStringEnvironmentVariable => null;

    /// <summary>Null when the resource has no connection string in this run.</summary>
    ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) => ConnectionStringExpression.GetValueAsync(cancellationToken);

    /// <summary>The parts of the connection string, which references put into <c>{NAME}_{PROPERTY}</c> variables.</summary>
    IEnumerable<KeyValuePair<string, ReferenceExpression>> GetConnectionProperties() => [];

    string IManifestExpressionProvider.ValueExpression => $"{{{Name}.connectionString}}";
    ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken) => GetConnectionStringAsync(cancellationToken);
    IEnumerable<object> IValueWithReferences.References => [ConnectionStringExpression];
}
