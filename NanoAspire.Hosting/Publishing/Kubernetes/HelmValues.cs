namespace NanoAspire.Hosting.Publishing.Kubernetes;

/// <summary>
/// The chart's <c>values.yaml</c> while templates are made: <c>parameters</c> (images, ports), <c>secrets</c> and <c>config</c>, each a map per resource.
/// </summary>
internal sealed class HelmValues
{
    private readonly Dictionary<ParameterResource, string> _secretOwners = [];

    public OrderedDictionary<string, object> Parameters { get; } = [];
    public OrderedDictionary<string, object> Secrets { get; } = [];
    public OrderedDictionary<string, object> Config { get; } = [];

    /// <summary>An image, a port or another thing that an operator sets for the resource.</summary>
    /// <returns>The reference for templates, without braces.</returns>
    public string Parameter(IResource resource, string key, object value) => Set("parameters", Parameters, resource, key, value);

    /// <summary>A parameter of the chart as a whole.</summary>
    public string Parameter(string key, object value)
    {
        Parameters.TryAdd(key, value);
        return $".Values.parameters.{key}";
    }

    public string Literal(IResource resource, string key, string value) => Set("config", Config, resource, key, value);

    /// <summary>
    /// A parameter of the model. A secret has one place, under the resource that used it first, so that it is set once; without a default it must be set.
    /// </summary>
    public string Parameter(IResource user, ParameterResource parameter)
    {
        var key = Key(parameter.Name);
        // A generated default would be another one in every chart, and in a file that is committed.
        var value = parameter.Default is null or GenerateParameterDefault ? null : parameter.Default.GetDefaultValue();
        if (!parameter.Secret) return Required(Set("config", Config, user, key, value ?? ""), value);
        if (!_secretOwners.TryGetValue(parameter, out var owner)) _secretOwners[parameter] = owner = Set("secrets", Secrets, user, key, value ?? "");
        return Required(owner, value);
    }

    /// <summary>Names of values cannot have hyphens: templates would subtract.</summary>
    public static string Key(string name) => name.Replace('-', '_').ToLowerInvariant();

    private static string Required(string reference, string? value) => value is null ? $"required `set {reference[".Values.".Length..]}` {reference}" : reference;

    private static string Set(string section, OrderedDictionary<string, object> values, IResource resource, string key, object value)
    {
        var owner = Key(resource.Name);
        if (!values.TryGetValue(owner, out var map)) values[owner] = map = new OrderedDictionary<string, object>();
        ((OrderedDictionary<string, object>)map)[key] = value;
        return IsIdentifier(key) ? $".Values.{section}.{owner}.{key}" : $"(index .Values.{section}.{owner} `{key}`)";
    }

    private static bool IsIdentifier(string key) => key.Length > 0 && !char.IsAsciiDigit(key[0]) && key.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
