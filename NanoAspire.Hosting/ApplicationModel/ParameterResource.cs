namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value from outside: configuration key <c>Parameters:{name}</c>, else its default.</summary>
public class ParameterResource : Resource, IResourceWithoutLifetime, IManifestExpressionProvider, IValueProvider
{
    private readonly Lazy<string> _value;
    private readonly Func<ParameterDefault?, string> _callback;

    /// <param name="name">The resource name.</param>
    /// <param name="callback">Finds the value; gets <see cref="Default"/>, may throw <see cref="MissingParameterValueException"/>.</param>
    /// <param name="secret">Whether the value is masked wherever it is shown.</param>
    public ParameterResource(string name, Func<ParameterDefault?, string> callback, bool secret = false) : base(name)
    {
        ArgumentNullException.ThrowIfNull(callback);
        _callback = callback;
        _value = new Lazy<string>(() => _callback(Default));
        Secret = secret;
    }

    public ParameterDefault? Default { get; set; }
    public bool Secret { get; }
    public string? Description { get; set; }
    public bool EnableDescriptionMarkdown { get; set; }
    public string ValueExpression => IsConnectionString ? $"{{{Name}.connectionString}}" : $"{{{Name}.value}}";
    internal bool IsConnectionString { get; set; }
    internal string? ConfigurationKey { get; init; }

    /// <summary>Whether there is nothing but the configuration to take the value from, so that a person may be asked.</summary>
    internal bool MayBeAsked { get; init; }

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => new(_value.Value);
}
