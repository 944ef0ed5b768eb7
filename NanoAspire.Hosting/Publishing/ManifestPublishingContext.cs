using System.Text.Json;
using NanoAspire.Hosting.Publishing;
using NanoAspire.Hosting.Publishing.Manifest;

namespace Aspire.Hosting.Publishing;

/// <summary>The manifest while it is written. Resources that values refer to are remembered and written after those of the model.</summary>
public sealed class ManifestPublishingContext
{
    private readonly PortAllocator _ports = new();
    private readonly List<IResource> _referenced = [];
    private readonly Dictionary<string, EncodedString> _encoded = [];

    public ManifestPublishingContext(DistributedApplicationExecutionContext executionContext, string manifestPath, Utf8JsonWriter writer,
        CancellationToken cancellationToken = default)
    {
        ExecutionContext = executionContext;
        ManifestPath = manifestPath;
        Writer = writer;
        CancellationToken = cancellationToken;
    }

    public DistributedApplicationExecutionContext ExecutionContext { get; }
    public string ManifestPath { get; }
    public Utf8JsonWriter Writer { get; }
    public CancellationToken CancellationToken { get; }

    internal IReadOnlyList<IResource> Referenced => _referenced;

    /// <summary>The path as seen from the manifest's folder, with forward slashes.</summary>
    public string? GetManifestRelativePath(string? path)
    {
        if (path is null) return null;
        var folder = Path.GetDirectoryName(Path.GetFullPath(ManifestPath)) ?? throw new DistributedApplicationException("The manifest needs a folder.");
        return Path.GetRelativePath(folder, path).Replace('\\', '/');
    }

    /// <summary>Writes <c>bindings</c>: scheme, protocol and transport of each endpoint, and the ports that are known.</summary>
    public void WriteBindings(IResource resource)
    {
        var endpoints = resource.ResolveEndpoints(_ports);
        if (endpoints.Count == 0) return;
        Writer.WriteStartObject("bindings");
        foreach (var resolved in endpoints)
        {
            var endpoint = resolved.Endpoint;
            Writer.WriteStartObject(endpoint.Name);
            Writer.WriteString("scheme", endpoint.UriScheme);
            Writer.WriteString("protocol", endpoint.Protocol.ToString().ToLowerInvariant());
            Writer.WriteString("transport", endpoint.Transport);
            if (endpoint.Port is { } port && port != resolved.TargetPort.Value) Writer.WriteNumber("port", port);
            if (resolved.TargetPort.Value is { } target) Writer.WriteNumber("targetPort", target);
            if (endpoint.IsExternal) Writer.WriteBoolean("external", true);
            Writer.WriteEndObject();
        }
        Writer.WriteEndObject();
    }

    /// <summary>Writes <c>connectionString</c> where the resource has one.</summary>
    public void WriteConnectionString(IResource resource)
    {
        if (resource is not IResourceWithConnectionString { ConnectionStringExpression: var expression }) return;
        Writer.WriteString("connectionString", expression.ValueExpression);
        TryAddDependentResources(expression);
    }

    /// <summary>Evaluates the environment callbacks and writes <c>env</c>.</summary>
    public async Task WriteEnvironmentVariablesAsync(IResource resource)
    {
        var variables = await PublishedValues.EnvironmentAsync(resource, ExecutionContext, CancellationToken).ConfigureAwait(false);
        if (variables.Count == 0) return;
        Writer.WriteStartObject("env");
        foreach (var (name, value) in variables)
        {
            Writer.WriteString(name, PublishedValues.Expression(value));
            TryAddDependentResources(value);
        }
        Writer.WriteEndObject();
    }

    /// <summary>Evaluates the argument callbacks and writes <c>args</c>.</summary>
    public async Task WriteCommandLineArgumentsAsync(IResource resource)
    {
        var arguments = await PublishedValues.ArgumentsAsync(resource, ExecutionContext, CancellationToken).ConfigureAwait(false);
        if (arguments.Count == 0) return;
        Writer.WriteStartArray("args");
        foreach (var argument in arguments)
        {
            Writer.WriteStringValue(PublishedValues.Expression(argument));
            TryAddDependentResources(argument);
        }
        Writer.WriteEndArray();
    }

    /// <summary>Writes a container with everything that it has: <c>container.v1</c> when it is built or has a deployment target, else <c>container.v0</c>.</summary>
    /// <exception cref="DistributedApplicationException">The container has no image.</exception>
    public Task WriteContainerAsync(ContainerResource container) => ContainerManifest.WriteAsync(this, container);

    /// <summary>Remembers the resources that a value refers to, so that those outside the model are written too.</summary>
    public void TryAddDependentResources(object? value)
    {
        switch (value)
        {
            case null or string:
                return;
            case IResourceBuilder<IResource> builder:
                TryAddDependentResources(builder.Resource);
                return;
            case IResource resource:
                if (_referenced.Contains(resource)) return;
                _referenced.Add(resource);
                // What a connection string is made of must be there as well.
                if (resource is IResourceWithConnectionString) TryAddDependentResources(((IResourceWithConnectionString)resource).ConnectionStringExpression);
                return;
            case ReferenceExpression expression:
                for (var i = 0; i < expression.ValueProviders.Count; i++)
                {
                    TryAddDependentResources(expression.ValueProviders[i]);
                    if (expression.StringFormats[i] is { } filter && expression.ValueProviders[i] is ParameterResource parameter) AddEncoded(parameter, expression.ManifestExpressions[i], filter);
                }
                return;
            case IValueWithReferences references:
                foreach (var reference in references.References) TryAddDependentResources(reference);
                return;
        }
    }

    /// <summary>Takes the ports that the model names out of those that <see cref="WriteBindings"/> gives to endpoints without one.</summary>
    internal void ReservePorts(DistributedApplicationModel model)
    {
        foreach (var endpoint in model.Resources.SelectMany(r => r.Annotations.OfType<EndpointAnnotation>()))
        {
            if (endpoint.Port is { } port) _ports.AddUsedPort(port);
            if (endpoint.TargetPort is { } target) _ports.AddUsedPort(target);
        }
    }

    /// <summary>The encoded forms of a parameter that values used.</summary>
    internal IEnumerable<EncodedString> EncodedForms(IResource resource) => _encoded.Values.Where(e => ReferenceEquals(e.Source, resource));

    private void AddEncoded(ParameterResource parameter, string expression, string filter)
    {
        // The expression is {name.value}: the name is the resource that carries the encoded form.
        var name = expression[1..expression.LastIndexOf('.')];
        _encoded.TryAdd(name, new EncodedString(name, parameter, filter));
    }
}
