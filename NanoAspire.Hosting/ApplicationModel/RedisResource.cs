namespace Aspire.Hosting.ApplicationModel;

/// <summary>A Redis server: <c>redis-server</c> or <c>valkey-server</c> of this machine when run, a container when published.</summary>
public class RedisResource(string name) : ContainerResource(name), IResourceWithConnectionString
{
    internal const string PrimaryEndpointName = "tcp";
    private EndpointReference? _primary;

    public RedisResource(string name, ParameterResource password) : this(name) => PasswordParameter = password;

    public EndpointReference PrimaryEndpoint => _primary ??= new EndpointReference(this, PrimaryEndpointName);
    public EndpointReferenceExpression Host => PrimaryEndpoint.Property(EndpointProperty.Host);
    public EndpointReferenceExpression Port => PrimaryEndpoint.Property(EndpointProperty.Port);
    public ParameterResource? PasswordParameter { get; private set; }

    /// <summary>Always false: traffic stays on the loopback interface or inside the cluster's network.</summary>
    public bool TlsEnabled { get; }

    public ReferenceExpression ConnectionStringExpression
    {
        get
        {
            var expression = new ReferenceExpressionBuilder();
            expression.Append($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)}");
            if (PasswordParameter is not null) expression.Append($",password={PasswordParameter}");
            return expression.Build();
        }
    }

    public ReferenceExpression UriExpression
    {
        get
        {
            var expression = new ReferenceExpressionBuilder();
            expression.AppendLiteral("redis://");
            if (PasswordParameter is not null) expression.Append($":{PasswordParameter:uri}@");
            expression.Append($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)}");
            return expression.Build();
        }
    }

    /// <summary>Null when this machine has nothing to run Redis with.</summary>
    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
        NanoAspire.Hosting.Run.Availability.IsUnavailable(this) ? new((string?)null) : ConnectionStringExpression.GetValueAsync(cancellationToken);

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties()
    {
        yield return new("Host", ReferenceExpression.Create($"{Host}"));
        yield return new("Port", ReferenceExpression.Create($"{Port}"));
        if (PasswordParameter is not null) yield return new("Password", ReferenceExpression.Create($"{PasswordParameter}"));
        yield return new("Uri", UriExpression);
    }

    internal void SetPassword(ParameterResource? password) => PasswordParameter = password;
}
