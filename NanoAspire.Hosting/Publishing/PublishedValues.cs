using System.Globalization;

namespace NanoAspire.Hosting.Publishing;

/// <summary>Environment and arguments of a resource as values of the model: publishers write them in their own notation.</summary>
internal static class PublishedValues
{
    public static async Task<IReadOnlyDictionary<string, object>> EnvironmentAsync(IResource resource, DistributedApplicationExecutionContext execution, CancellationToken ct)
    {
        var context = new EnvironmentCallbackContext(execution, resource, cancellationToken: ct);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>().ToArray()) await annotation.Callback(context).ConfigureAwait(false);
        return context.EnvironmentVariables.Where(v => v.Value is not null).ToDictionary(v => v.Key, v => Unwrap(v.Value));
    }

    public static async Task<IReadOnlyList<object>> ArgumentsAsync(IResource resource, DistributedApplicationExecutionContext execution, CancellationToken ct)
    {
        var context = new CommandLineArgsCallbackContext([], resource, ct) { ExecutionContext = execution };
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>().ToArray()) await annotation.Callback(context).ConfigureAwait(false);
        return [.. context.Args.Where(a => a is not null).Select(Unwrap)];
    }

    /// <summary>The value in the notation of manifests, with <c>{resource.property}</c> for what is not known yet.</summary>
    /// <exception cref="DistributedApplicationException">The value can only be evaluated in a run.</exception>
    public static string Expression(object value) => value switch
    {
        string text => text,
        IManifestExpressionProvider provider => provider.ValueExpression,
        _ => Literal(value),
    };

    /// <summary>A value that is no reference, as text.</summary>
    /// <exception cref="DistributedApplicationException">The value can only be evaluated in a run.</exception>
    public static string Literal(object value) => value switch
    {
        string text => text,
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new DistributedApplicationException($"A value of type '{value.GetType().Name}' cannot be published: it has no expression."),
    };

    private static object Unwrap(object value) => value is IResourceBuilder<IResource> builder ? builder.Resource : value;
}
