namespace Aspire.Hosting;

/// <summary>A connection string made from other parts of the model.</summary>
public sealed class ConnectionStringResource(string name, ReferenceExpression connectionStringExpression) :
    Resource(name), IResourceWithConnectionString, IResourceWithoutLifetime
{
    public ReferenceExpression ConnectionStringExpression { get; } = connectionStringExpression;
}
