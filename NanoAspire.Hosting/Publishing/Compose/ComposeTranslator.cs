using System.Globalization;

namespace NanoAspire.Hosting.Publishing.Compose;

/// <summary>Turns values of the model into text of a compose file, with <c>${NAME}</c> for what <c>.env</c> decides.</summary>
internal sealed class ComposeTranslator(ComposeVariables variables)
{
    private const int DefaultHttpPort = 8080;

    /// <exception cref="DistributedApplicationException">The value is known only in a run.</exception>
    public string Translate(object value) => value switch
    {
        string text => Escape(text),
        ParameterResource parameter => Parameter(parameter),
        EndpointReference endpoint => Endpoint(endpoint.Property(EndpointProperty.Url)),
        EndpointReferenceExpression part => Endpoint(part),
        ReferenceExpression expression => Expression(expression),
        ConnectionStringReference { Resource: var source } => Expression(source.ConnectionStringExpression),
        IResourceWithConnectionString source => Expression(source.ConnectionStringExpression),
        _ => Escape(PublishedValues.Literal(value)),
    };

    /// <summary>The port that a container binds: fixed, or a variable.</summary>
    public string Port(IResource resource, ResolvedEndpoint endpoint)
    {
        if (endpoint.TargetPort.Value is { } port) return port.ToString(CultureInfo.InvariantCulture);
        var suffix = endpoint.Endpoint.Name == "http" ? "port" : $"{endpoint.Endpoint.Name}_port";
        return variables.Reference($"{resource.Name}_{suffix}", $"Port that {resource.Name} listens on", DefaultHttpPort.ToString(CultureInfo.InvariantCulture), resource);
    }

    public static string ServiceName(IResource resource) => resource.Name.ToLowerInvariant();

    /// <summary>A dollar sign would open a variable.</summary>
    public static string Escape(string text) => text.Replace("$", "$$", StringComparison.Ordinal);

    private string Parameter(ParameterResource parameter)
    {
        var value = parameter.Default is null or GenerateParameterDefault ? null : parameter.Default.GetDefaultValue();
        return variables.Reference(parameter.Name, $"Parameter {parameter.Name}{(parameter.Secret ? " (secret)" : "")}", value, parameter, parameter);
    }

    private string Endpoint(EndpointReferenceExpression part)
    {
        var resource = part.Endpoint.Resource;
        var host = ServiceName(resource);
        var annotation = part.Endpoint.EndpointAnnotation;
        if (part.Property is EndpointProperty.Host or EndpointProperty.IPV4Host) return host;
        if (part.Property is EndpointProperty.Scheme) return annotation.UriScheme;
        var port = Port(resource, resource.ResolveEndpoints().First(e => e.Endpoint == annotation));
        return part.Property switch
        {
            EndpointProperty.Port or EndpointProperty.TargetPort => port,
            EndpointProperty.HostAndPort => $"{host}:{port}",
            EndpointProperty.Url => $"{annotation.UriScheme}://{host}:{port}",
            _ => throw new DistributedApplicationException($"'{part.Property}' of an endpoint cannot be published."),
        };
    }

    /// <summary>Compose has no functions: an encoded value is written as it is, which generated passwords (letters and digits) allow.</summary>
    private string Expression(ReferenceExpression expression) => string.Format(CultureInfo.InvariantCulture, Escape(expression.Format),
        [.. expression.ValueProviders.Select(p => (object)Translate(p))]);
}
