using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace NanoAspire.Hosting.Tests.Publishing;

/// <summary>Ways into a parsed YAML document.</summary>
internal static class Yaml
{
    /// <summary>The node at a path of keys and indices such as <c>spec/template/spec/containers/0/image</c>; null when there is none.</summary>
    public static YamlNode? At(this YamlNode node, string path)
    {
        foreach (var part in path.Split('/'))
        {
            YamlNode? next = node switch
            {
                YamlMappingNode map => map.Children.TryGetValue(new YamlScalarNode(part), out var value) ? value : null,
                YamlSequenceNode list when int.TryParse(part, out var index) && index < list.Children.Count => list[index],
                _ => null,
            };
            if (next is null) return null;
            node = next;
        }
        return node;
    }

    public static string? Text(this YamlNode node, string path) => (node.At(path) as YamlScalarNode)?.Value;

    public static IEnumerable<YamlNode> Items(this YamlNode node, string path) => (node.At(path) as YamlSequenceNode)?.Children ?? [];

    public static Dictionary<string, string> Map(this YamlNode node, string path) => Entries(node, path).ToDictionary(e => e.Key, e => ((YamlScalarNode)e.Value).Value!);

    public static IEnumerable<(string Key, YamlNode Value)> Entries(this YamlNode node, string path) =>
        ((path.Length == 0 ? node : node.At(path)) as YamlMappingNode)?.Children.Select(c => (((YamlScalarNode)c.Key).Value!, c.Value)) ?? [];

    /// <summary>Whether the scalar would be read as a number: written without quotes, and digits only.</summary>
    public static bool IsNumber(this YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: { Length: > 0 } text } && text.All(char.IsAsciiDigit);

    public static bool IsText(this YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.DoubleQuoted or ScalarStyle.SingleQuoted };
}
