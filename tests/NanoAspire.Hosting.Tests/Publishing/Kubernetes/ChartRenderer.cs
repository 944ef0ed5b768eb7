using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace NanoAspire.Hosting.Tests.Publishing.Kubernetes;

/// <summary>
/// Renders the part of Helm's template language that the publisher writes: values, the release's name, <c>required</c>, <c>index</c>,
/// <c>| int</c> and <c>| urlquery</c>. Anything else is an error.
/// </summary>
internal sealed partial class ChartRenderer(string folder, string release = "test", params (string Path, string Value)[] set)
{
    private readonly YamlMappingNode _values = Load(File.ReadAllText(Path.Combine(folder, "values.yaml")));

    /// <summary>All objects of the chart, by the file that they come from.</summary>
    public Dictionary<string, YamlMappingNode> Render() => Directory.EnumerateFiles(Path.Combine(folder, "templates"), "*.yaml", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).ToDictionary(f => Path.GetRelativePath(Path.Combine(folder, "templates"), f).Replace('\\', '/'), f => Load(Text(File.ReadAllText(f))));

    public string Text(string template) => Action().Replace(template, match => Evaluate(match.Groups[1].Value));

    private string Evaluate(string pipeline)
    {
        var stages = pipeline.Split('|', StringSplitOptions.TrimEntries);
        var value = Operand(stages[0]);
        foreach (var stage in stages[1..])
        {
            value = stage switch
            {
                "int" => int.Parse(value).ToString(),
                "urlquery" => Uri.EscapeDataString(value),
                _ => throw new NotSupportedException($"template function '{stage}'"),
            };
        }
        return value;
    }

    private string Operand(string text)
    {
        if (text is ['`', .. var literal, '`']) return literal;
        if (text == ".Release.Name") return release;
        if (RequiredCall().Match(text) is { Success: true } required)
        {
            var value = Operand(required.Groups[2].Value);
            return value.Length > 0 ? value : throw new InvalidOperationException(required.Groups[1].Value);
        }
        if (IndexCall().Match(text) is { Success: true } index) return Value([.. index.Groups[1].Value.Split('.'), index.Groups[2].Value]);
        return text.StartsWith(".Values.", StringComparison.Ordinal) ? Value(text[".Values.".Length..].Split('.')) : throw new NotSupportedException($"template operand '{text}'");
    }

    private string Value(string[] keys)
    {
        var path = string.Join('.', keys);
        if (set.FirstOrDefault(s => s.Path == path) is { Path: not null } given) return given.Value;
        YamlNode node = _values;
        foreach (var key in keys) node = node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(key), out var next) ? next : throw new InvalidOperationException($"values.yaml has no {path}");
        return ((YamlScalarNode)node).Value!;
    }

    public static YamlMappingNode Load(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return (YamlMappingNode)Assert.Single(stream.Documents).RootNode;
    }

    [GeneratedRegex(@"\{\{ (.*?) \}\}")]
    private static partial Regex Action();

    [GeneratedRegex("^required `([^`]*)` (.*)$")]
    private static partial Regex RequiredCall();

    [GeneratedRegex(@"^\(index \.Values\.([A-Za-z0-9_.]+) `([^`]*)`\)$")]
    private static partial Regex IndexCall();
}
