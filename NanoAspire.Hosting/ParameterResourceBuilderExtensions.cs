using Microsoft.Extensions.Configuration;
using NanoAspire.Hosting.Model;

namespace Aspire.Hosting;

/// <summary>Adds values from outside.</summary>
public static class ParameterResourceBuilderExtensions
{
    /// <summary>The value is configuration key <c>Parameters:{name}</c>; there is no default.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        builder.Add(name, defaultValue: null, secret);

    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, string value,
        bool publishValueAsDefault = false, bool secret = false) => builder.AddParameter(name, () => value, publishValueAsDefault, secret);

    /// <exception cref="ArgumentException">A secret would be published.</exception>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, Func<string> valueGetter,
        bool publishValueAsDefault = false, bool secret = false)
    {
        if (publishValueAsDefault && secret) throw new ArgumentException("A secret must not be published as a default value.", nameof(publishValueAsDefault));
        if (publishValueAsDefault) return builder.Add(name, new ConstantParameterDefault(valueGetter), secret);
        return builder.AddResource(new ParameterResource(name, _ => Configured(builder.Configuration, name) ?? valueGetter(), secret) { ConfigurationKey = Key(name) });
    }

    /// <param name="builder">The application.</param>
    /// <param name="name">The resource name.</param>
    /// <param name="value">How to find the value when the configuration has none.</param>
    /// <param name="secret">Whether the value is masked wherever it is shown.</param>
    /// <param name="persist">Whether the value is kept in the host's user secrets, so that the next run finds the same.</param>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, ParameterDefault value,
        bool secret = false, bool persist = false) => builder.AddResource(Create(builder, name, value, secret, persist));

    public static IResourceBuilder<ParameterResource> AddParameterFromConfiguration(this IDistributedApplicationBuilder builder, string name,
        string configurationKey, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, _ => builder.Configuration[configurationKey] ?? throw Missing(name, configurationKey), secret)
        {
            ConfigurationKey = configurationKey,
            MayBeAsked = true,
        });

    public static IResourceBuilder<ParameterResource> WithDescription(this IResourceBuilder<ParameterResource> builder, string description, bool enableMarkdown = false)
    {
        builder.Resource.Description = description;
        builder.Resource.EnableDescriptionMarkdown = enableMarkdown;
        return builder;
    }

    /// <summary>A connection string that stands in the host's configuration under <c>ConnectionStrings:{name}</c>.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddConnectionString(this IDistributedApplicationBuilder builder, string name, string? environmentVariableName = null)
    {
        var key = $"ConnectionStrings:{name}";
        var parameter = new ParameterResource(name, _ => builder.Configuration[key] ?? throw Missing(name, key), secret: true)
        {
            IsConnectionString = true,
            ConfigurationKey = key,
        };
        return builder.AddResource(new ConfiguredConnectionStringResource(parameter, environmentVariableName));
    }

    public static IResourceBuilder<ConnectionStringResource> AddConnectionString(this IDistributedApplicationBuilder builder, string name, ReferenceExpression connectionStringExpression) =>
        builder.AddResource(new ConnectionStringResource(name, connectionStringExpression));

    public static IResourceBuilder<ConnectionStringResource> AddConnectionString(this IDistributedApplicationBuilder builder, string name,
        Action<ReferenceExpressionBuilder> connectionStringBuilder)
    {
        var expression = new ReferenceExpressionBuilder();
        connectionStringBuilder(expression);
        return builder.AddConnectionString(name, expression.Build());
    }

    /// <summary>A generated password that is not part of the model's list until something refers to it.</summary>
    public static ParameterResource CreateDefaultPasswordParameter(IDistributedApplicationBuilder builder, string name, bool lower = true, bool upper = true,
        bool numeric = true, bool special = true, int minLower = 0, int minUpper = 0, int minNumeric = 0, int minSpecial = 0)
    {
        var generate = new GenerateParameterDefault
        {
            MinLength = 22,                                      // 128 bits from the smallest useful alphabet
            Lower = lower,
            Upper = upper,
            Numeric = numeric,
            Special = special,
            MinLower = minLower,
            MinUpper = minUpper,
            MinNumeric = minNumeric,
            MinSpecial = minSpecial,
        };
        return CreateGeneratedParameter(builder, name, secret: true, generate);
    }

    /// <summary>A generated value that is kept in the host's user secrets; not part of the model's list until something refers to it.</summary>
    public static ParameterResource CreateGeneratedParameter(IDistributedApplicationBuilder builder, string name, bool secret, GenerateParameterDefault parameterDefault) =>
        Create(builder, name, parameterDefault, secret, persist: true);

    /// <summary>A value from the configuration that is not part of the model's list until something refers to it.</summary>
    public static ParameterResource CreateParameter(IDistributedApplicationBuilder builder, string name, bool secret) =>
        Create(builder, name, defaultValue: null, secret, persist: false);

    private static IResourceBuilder<ParameterResource> Add(this IDistributedApplicationBuilder builder, string name, ParameterDefault? defaultValue, bool secret) =>
        builder.AddResource(Create(builder, name, defaultValue, secret, persist: false));

    private static ParameterResource Create(IDistributedApplicationBuilder builder, string name, ParameterDefault? defaultValue, bool secret, bool persist)
    {
        var secrets = persist ? UserSecrets.Of(builder) : null;
        return new(name, fallback => Configured(builder.Configuration, name) ?? Default(fallback) ?? throw Missing(name, Key(name)), secret)
        {
            Default = defaultValue,
            ConfigurationKey = Key(name),
            MayBeAsked = defaultValue is null,
        };

        string? Default(ParameterDefault? fallback)
        {
            var value = fallback?.GetDefaultValue();
            if (value is not null) secrets?.TrySet(Key(name), value);
            return value;
        }
    }

    private static string Key(string name) => $"Parameters:{name}";

    /// <summary>Environment variables cannot contain hyphens, so the underscored spelling counts too.</summary>
    private static string? Configured(ConfigurationManager configuration, string name) =>
        configuration[Key(name)] ?? configuration[Key(name.Replace('-', '_'))];

    private static MissingParameterValueException Missing(string name, string key) =>
        new($"Parameter resource could not be used because configuration key '{key}' is missing and the parameter '{name}' has no default value.");
}
