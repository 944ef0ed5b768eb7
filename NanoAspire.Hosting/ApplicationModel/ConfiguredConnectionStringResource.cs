namespace Aspire.Hosting.ApplicationModel;

/// <summary>A connection string that stands in the host's configuration under <c>ConnectionStrings:{name}</c>.</summary>
internal sealed class ConfiguredConnectionStringResource(ParameterResource parameter, string? environmentVariable) :
    ParameterResource(parameter.Name, _ => "", secret: true), IResourceWithConnectionString
{
    public string? ConnectionStringEnvironmentVariable => environmentVariable;
    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{parameter}");
    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) => parameter.GetValueAsync(cancellationToken);
    string IManifestExpressionProvider.ValueExpression => $"{{{Name}.connectionString}}";
    ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken) => parameter.GetValueAsync(cancellationToken);
    internal ParameterResource Parameter => parameter;
}
