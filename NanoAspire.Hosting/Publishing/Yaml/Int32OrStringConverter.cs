using System.Globalization;
using Aspire.Hosting.Kubernetes.Resources;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace NanoAspire.Hosting.Publishing.Yaml;

/// <summary>Writes numbers bare and names in quotes.</summary>
internal sealed class Int32OrStringConverter : IYamlTypeConverter
{
    public bool Accepts(Type type) => type == typeof(Int32OrStringV1);

    /// <exception cref="NotSupportedException">Always: charts are written, not read.</exception>
    public object? ReadYaml(IParser parser, Type type, ObjectDeserializer rootDeserializer) => throw new NotSupportedException("Charts are written, not read.");

    public void WriteYaml(IEmitter emitter, object? value, Type type, ObjectSerializer serializer)
    {
        var port = (Int32OrStringV1)value!;
        emitter.Emit(port.Number is { } number
            ? new Scalar(AnchorName.Empty, TagName.Empty, number.ToString(CultureInfo.InvariantCulture), ScalarStyle.Plain, isPlainImplicit: true, isQuotedImplicit: false)
            : new Scalar(AnchorName.Empty, TagName.Empty, port.Text ?? "", ScalarStyle.DoubleQuoted, isPlainImplicit: false, isQuotedImplicit: true));
    }
}
