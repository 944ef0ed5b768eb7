using System.Globalization;

namespace NanoAspire.Hosting.Run;

/// <summary>Evaluates the environment and arguments of an instance: callbacks in order, then every value that is known only now.</summary>
internal static class ResourceEnvironment
{
    public static async Task<Dictionary<string, string>> VariablesAsync(IResource resource, ValueProviderContext values,
        DistributedApplicationExecutionContext execution, ResourceLoggerService logs, CancellationToken ct)
    {
        var context = new EnvironmentCallbackContext(execution, resource, cancellationToken: ct) { Logger = logs.GetLogger(resource) };
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>().ToArray())
        {
            await annotation.Callback(context).ConfigureAwait(false);
        }
        var result = new Dictionary<string, string>();
        foreach (var (name, value) in context.EnvironmentVariables)
        {
            if (await ResolveAsync(value, values, ct).ConfigureAwait(false) is { } text) result[name] = text;
        }
        return result;
    }

    public static async Task<List<string>> ArgumentsAsync(IResource resource, ValueProviderContext values,
        DistributedApplicationExecutionContext execution, ResourceLoggerService logs, CancellationToken ct)
    {
        var context = new CommandLineArgsCallbackContext([], resource, ct) { ExecutionContext = execution, Logger = logs.GetLogger(resource) };
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>().ToArray())
        {
            await annotation.Callback(context).ConfigureAwait(false);
        }
        var result = new List<string>();
        foreach (var value in context.Args)
        {
            if (await ResolveAsync(value, values, ct).ConfigureAwait(false) is { } text) result.Add(text);
        }
        return result;
    }

    /// <summary>The text of a value of the model for this consumer; null when it has none.</summary>
    public static async ValueTask<string?> ResolveAsync(object? value, ValueProviderContext context, CancellationToken ct) => value switch
    {
        null => null,
        string text => text,
        IValueProvider provider => await provider.GetValueAsync(context, ct).ConfigureAwait(false),
        IResourceBuilder<IResource> { Resource: IValueProvider provider } => await provider.GetValueAsync(context, ct).ConfigureAwait(false),
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };
}
