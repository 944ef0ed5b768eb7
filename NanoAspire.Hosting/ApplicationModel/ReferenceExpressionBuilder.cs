using System.Runtime.CompilerServices;
using System.Text;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Builds a <see cref="ReferenceExpression"/> piece by piece.</summary>
public class ReferenceExpressionBuilder
{
    private readonly StringBuilder _format = new();
    private readonly List<IValueProvider> _providers = [];
    private readonly List<string> _expressions = [];
    private readonly List<string?> _formats = [];

    public bool IsEmpty => _format.Length == 0;

#pragma warning disable CA1822, CA1045 // the handler writes into this builder while the argument is evaluated; 'in' is the published signature
    public void Append([InterpolatedStringHandlerArgument("")] in ReferenceExpressionBuilderInterpolatedStringHandler handler)
    {
    }
#pragma warning restore CA1822, CA1045

    public void AppendLiteral(string value) => ExpressionParts.Literal(_format, value);
    public void AppendFormatted(string? value) => AppendLiteral(value ?? "");
    public void AppendFormatted(string? value, string? format) => AppendLiteral(ExpressionParts.Apply(value, format));
    public void AppendFormatted<T>(T valueProvider) where T : IValueProvider, IManifestExpressionProvider => AppendFormatted(valueProvider, format: null);
    public void AppendFormatted<T>(T valueProvider, string? format) where T : IValueProvider, IManifestExpressionProvider =>
        ExpressionParts.Hole(_format, _providers, _expressions, _formats, valueProvider, valueProvider.ValueExpression, format);

    public ReferenceExpression Build() => ReferenceExpression.Create(_format.ToString(), [.. _providers], [.. _expressions], [.. _formats]);

    /// <summary>Forwards each piece of an interpolated string to the builder.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct ReferenceExpressionBuilderInterpolatedStringHandler
    {
        private readonly ReferenceExpressionBuilder _builder;

        public ReferenceExpressionBuilderInterpolatedStringHandler(int literalLength, int formattedCount, ReferenceExpressionBuilder builder)
        {
            _builder = builder;
            builder._format.EnsureCapacity(builder._format.Length + literalLength + formattedCount * 3);
        }

        public void AppendLiteral(string value) => _builder.AppendLiteral(value);
        public void AppendFormatted(string? value) => _builder.AppendFormatted(value);
        public void AppendFormatted(string? value, string? format) => _builder.AppendFormatted(value, format);
        public void AppendFormatted<T>(T valueProvider) where T : IValueProvider, IManifestExpressionProvider => _builder.AppendFormatted(valueProvider);
        public void AppendFormatted<T>(T valueProvider, string? format) where T : IValueProvider, IManifestExpressionProvider =>
            _builder.AppendFormatted(valueProvider, format);
        public void AppendFormatted<T>(IResourceBuilder<T> valueProvider) where T : IResource, IValueProvider, IManifestExpressionProvider =>
            _builder.AppendFormatted(valueProvider.Resource);
        public void AppendFormatted<T>(IResourceBuilder<T> valueProvider, string? format) where T : IResource, IValueProvider, IManifestExpressionProvider =>
            _builder.AppendFormatted(valueProvider.Resource, format);
    }
}
