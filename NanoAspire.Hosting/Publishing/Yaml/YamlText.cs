using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace NanoAspire.Hosting.Publishing.Yaml;

/// <summary>
/// Objects as YAML that nobody can misread: keys plain, texts in double quotes, numbers and booleans bare, nothing folded, empty things left out.
/// </summary>
internal static partial class YamlText
{
    private static readonly ISerializer Camel = Build(CamelCaseNamingConvention.Instance);
    private static readonly ISerializer Snake = Build(UnderscoredNamingConvention.Instance);

    /// <summary>Properties in camelCase, as Kubernetes has them. A text that is a template ending in <c>| int</c> is written bare: it becomes a number.</summary>
    public static string Kubernetes(object graph) => BareNumbers().Replace(Write(Camel, graph), "$1");

    /// <summary>Properties in snake_case, as Compose has them.</summary>
    public static string Compose(object graph) => Write(Snake, graph);

    private static string Write(ISerializer serializer, object graph)
    {
        using var text = new StringWriter { NewLine = "\n" };
        serializer.Serialize(new PlainKeyEmitter(new Emitter(text, new EmitterSettings().WithBestWidth(int.MaxValue).WithIndentedSequences())), graph);
        return text.ToString();
    }

    private static ISerializer Build(INamingConvention convention) => new SerializerBuilder()
        .WithNamingConvention(convention)
        .ConfigureDefaultValuesHandling(DefaultValuesHandling.OmitNull | DefaultValuesHandling.OmitEmptyCollections)
        .WithTypeConverter(new Int32OrStringConverter())
        .WithEventEmitter(next => new QuotingEventEmitter(next))
        .DisableAliases()
        .Build();

    [GeneratedRegex("""
        "(\{\{ [^"]* \| int \}\})"
        """)]
    private static partial Regex BareNumbers();
}
