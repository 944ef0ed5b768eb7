using System.Globalization;

namespace NanoAspire.Hosting.Publishing.Kubernetes;

/// <summary>Turns values of the model into template text for one resource.</summary>
internal sealed class HelmTranslator(HelmValues values, IResource user)
{
    /// <summary>What a container listens on when nobody chose.</summary>
    public const int DefaultHttpPort = 8080;

    /// <exception cref="DistributedApplicationException">The value is known only in a run.</exception>
    public HelmText Translate(object value) => value switch
    {
        string text => HelmText.Literal(text),
        ParameterResource parameter => Parameter(parameter, format: null),
        EndpointReference endpoint => Endpoint(endpoint.Property(EndpointProperty.Url)),
        EndpointReferenceExpression part => Endpoint(part),
        ReferenceExpression expression => Expression(expression),
        ConnectionStringReference { Resource: var source } => Expression(source.ConnectionStringExpression),
        IResourceWithConnectionString source => Expression(source.ConnectionStringExpression),
        _ => HelmText.Literal(PublishedValues.Literal(value)),
    };

    /// <summary>The port that the container of an endpoint binds: fixed, or a value that operators may change.</summary>
    public static string Port(HelmValues values, IResource resource, ResolvedEndpoint endpoint)
    {
        if (endpoint.TargetPort.Value is { } port) return port.ToString(CultureInfo.InvariantCulture);
        return $"{{{{ {values.Parameter(resource, $"port_{HelmValues.Key(endpoint.Endpoint.Name)}", DefaultHttpPort)} }}}}";
    }

    public static string ServiceName(IResource resource) => KubernetesNames.Object(resource, "service");

    private HelmText Parameter(ParameterResource parameter, string? format)
    {
        var reference = values.Parameter(user, parameter);
        return HelmText.Reference(format == "uri" ? $"{reference} | urlquery" : reference, parameter.Secret);
    }

    private HelmText Endpoint(EndpointReferenceExpression part)
    {
        var resource = part.Endpoint.Resource;
        var host = ServiceName(resource);
        if (part.Property is EndpointProperty.Host or EndpointProperty.IPV4Host) return HelmText.Literal(host);
        var annotation = part.Endpoint.EndpointAnnotation;
        if (part.Property is EndpointProperty.Scheme) return HelmText.Literal(annotation.UriScheme);
        var port = Port(values, resource, resource.ResolveEndpoints().First(e => e.Endpoint == annotation));
        var text = part.Property switch
        {
            EndpointProperty.Port or EndpointProperty.TargetPort => port,
            EndpointProperty.HostAndPort => $"{host}:{port}",
            EndpointProperty.Url => $"{annotation.UriScheme}://{host}:{port}",
            _ => throw new DistributedApplicationException($"'{part.Property}' of an endpoint cannot be published."),
        };
        return new(text, IsSecret: false, IsLiteral: !port.Contains('{', StringComparison.Ordinal));
    }

    private HelmText Expression(ReferenceExpression expression)
    {
        var parts = new HelmText[expression.ValueProviders.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            var provider = expression.ValueProviders[i];
            parts[i] = provider is ParameterResource parameter and not IResourceWithConnectionString
                ? Parameter(parameter, expression.StringFormats[i])
                : Translate(provider);
        }
        // Two literal braces (four in a composite format) would open a template.
        var format = expression.Format.Replace("{{{{", "{{{{ `{{{{` }}}}", StringComparison.Ordinal);
        var text = string.Format(CultureInfo.InvariantCulture, format, [.. parts.Select(p => (object)p.Text)]);
        return new(text, parts.Any(p => p.IsSecret), parts.All(p => p.IsLiteral));
    }
}
