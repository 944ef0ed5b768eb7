using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A text with holes that are filled when the application runs, or written as expressions when it is published.</summary>
public class ReferenceExpression : IManifestExpressionProvider, IValueProvider, IValueWithReferences
{
    public static readonly ReferenceExpression Empty = Create("", [], [], []);

    private ReferenceExpression(string format, IValueProvider[] valueProviders, string[] manifestExpressions, string?[] stringFormats)
    {
        Format = format;
        ValueProviders = valueProviders;
        ManifestExpressions = manifestExpressions;
        StringFormats = stringFormats;
    }

    /// <summary>A composite format: <c>{0}</c>, <c>{1}</c>, … stand for <see cref="ValueProviders"/>; literal braces are doubled.</summary>
    public string Format { get; }
    public IReadOnlyList<IValueProvider> ValueProviders { get; }
    public IReadOnlyList<string> ManifestExpressions { get; }

    /// <summary>One a hole; <c>uri</c> percent-encodes the value, null leaves it.</summary>
    public IReadOnlyList<string?> StringFormats { get; }

    public string ValueExpression => string.Format(CultureInfo.InvariantCulture, Format, [.. ManifestExpressions]);
    IEnumerable<object> IValueWithReferences.References => ValueProviders;

    public static ReferenceExpression Create(in ExpressionInterpolatedStringHandler handler) => handler.GetExpression();

    public static ReferenceExpression Create(string? format, IValueProvider[] valueProviders, string[] manifestExpressions, string?[] stringFormats) =>
        new(format ?? "", valueProviders, manifestExpressions, stringFormats);

    /// <summary>Null when the expression is empty.</summary>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => GetValueAsync(new ValueProviderContext(), cancellationToken);

    public async ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken = default)
    {
        if (Format.Length == 0) return null;
        var values = new object?[ValueProviders.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var value = await ValueProviders[i].GetValueAsync(context, cancellationToken).ConfigureAwait(false);
            values[i] = StringFormats[i] switch
            {
                null => value,
                "uri" => value is null ? null : Uri.EscapeDataString(value),
                var other => throw new FormatException($"The value format '{other}' is not supported; 'uri' is."),
            };
        }
        return string.Format(CultureInfo.InvariantCulture, Format, values);
    }

    /// <summary>Turns an interpolated string into an expression; holes take text, value providers and resource builders.</summary>
    [InterpolatedStringHandler]
    public ref struct ExpressionInterpolatedStringHandler(int literalLength, int formattedCount)
    {
        private readonly StringBuilder _format = new(literalLength + formattedCount * 3);
        private readonly List<IValueProvider> _providers = new(formattedCount);
        private readonly List<string> _expressions = new(formattedCount);
        private readonly List<string?> _formats = new(formattedCount);

        public readonly void AppendLiteral(string value) => ExpressionParts.Literal(_format, value);
        public readonly void AppendFormatted(string? value) => AppendLiteral(value ?? "");
        public readonly void AppendFormatted(string? value, string? format) => AppendLiteral(ExpressionParts.Apply(value, format));

        public readonly void AppendFormatted<T>(T valueProvider) where T : IValueProvider, IManifestExpressionProvider => AppendFormatted(valueProvider, format: null);
        public readonly void AppendFormatted<T>(T valueProvider, string? format) where T : IValueProvider, IManifestExpressionProvider =>
            ExpressionParts.Hole(_format, _providers, _expressions, _formats, valueProvider, valueProvider.ValueExpression, format);

        public readonly void AppendFormatted<T>(IResourceBuilder<T> valueProvider) where T : IResource, IValueProvider, IManifestExpressionProvider =>
            AppendFormatted(valueProvider.Resource, format: null);
        public readonly void AppendFormatted<T>(IResourceBuilder<T> valueProvider, string? format) where T : IResource, IValueProvider, IManifestExpressionProvider =>
            AppendFormatted(valueProvider.Resource, format);

        internal readonly ReferenceExpression GetExpression() => Create(_format.ToString(), [.. _providers], [.. _expressions], [.. _formats]);
    }
}
