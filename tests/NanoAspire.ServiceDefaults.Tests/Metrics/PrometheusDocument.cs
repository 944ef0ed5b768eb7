using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace NanoAspire.ServiceDefaults.Tests.Metrics;

/// <summary>A strict reader of text format 0.0.4: anything a scraper would refuse, or accept by luck, is an error here.</summary>
internal sealed partial class PrometheusDocument
{
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>Samples by <c>name{label="value",…}</c> with labels sorted and unescaped.</summary>
    public IReadOnlyDictionary<string, double> Samples => _samples;

    public static PrometheusDocument Parse(string text)
    {
        var document = new PrometheusDocument();
        Assert.EndsWith("\n", text);
        Assert.DoesNotContain('\r', text);
        string? family = null;
        foreach (var line in text[..^1].Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal)) continue;
            if (TypeLine().Match(line) is { Success: true } type)
            {
                family = type.Groups[1].Value;
                Assert.True(document.Types.TryAdd(family, type.Groups[2].Value), $"second TYPE of {family}");
                continue;
            }
            var sample = SampleLine().Match(line);
            Assert.True(sample.Success, $"not a sample: {line}");
            var name = sample.Groups["name"].Value;
            Assert.True(family is not null && (name == family || (document.Types[family] == "histogram" && name[family.Length..] is "_bucket" or "_sum" or "_count")),
                $"{name} stands under {family}");
            var labels = LabelPair().Matches(sample.Groups["labels"].Value).Select(pair => $"{pair.Groups[1].Value}=\"{Unescape(pair.Groups[2].Value)}\"").Order(StringComparer.Ordinal).ToList();
            Assert.Equal(labels.Count, labels.Select(label => label[..label.IndexOf('=')]).Distinct().Count());
            var key = labels.Count == 0 ? name : $"{name}{{{string.Join(',', labels)}}}";
            var value = sample.Groups["value"].Value switch
            {
                "+Inf" => double.PositiveInfinity,
                "-Inf" => double.NegativeInfinity,
                var number => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture),
            };
            Assert.True(document._samples.TryAdd(key, value), $"second sample of {key}");
        }
        return document;
    }

    private static string Unescape(string value)
    {
        var result = new StringBuilder();
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] != '\\') { result.Append(value[i]); continue; }
            result.Append(value[++i] switch { '\\' => '\\', '"' => '"', 'n' => '\n', var other => throw new InvalidDataException($"escape \\{other}") });
        }
        return result.ToString();
    }

    [GeneratedRegex(@"^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex(@"^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>[a-zA-Z_][a-zA-Z0-9_]*=""(\\.|[^""\\])*""(,[a-zA-Z_][a-zA-Z0-9_]*=""(\\.|[^""\\])*"")*)\})? (?<value>\S+)$")]
    private static partial Regex SampleLine();

    [GeneratedRegex(@"([a-zA-Z_][a-zA-Z0-9_]*)=""((?:\\.|[^""\\])*)""")]
    private static partial Regex LabelPair();
}
