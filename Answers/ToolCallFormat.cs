using NanoAspire.Answers.Calls;

namespace NanoAspire.Answers;

/// <summary>How a model family writes tool calls.</summary>
public sealed class ToolCallFormat
{
    private readonly Func<AnswerWriter, ToolSchemas, bool, CallParser> _create;

    private ToolCallFormat(string name, IReadOnlyList<string> markers, Func<AnswerWriter, ToolSchemas, bool, CallParser> create) =>
        (Name, Markers, _create) = (name, markers, create);

    private static readonly ToolCallFormat[] Known =
    [
        new("hermes", [HermesParser.Open, HermesParser.Close], (output, schemas, parallel) => new HermesParser(output, schemas, parallel)),
        Markup("qwen3_xml", MarkupFormat.Qwen),
        Marked("deepseek_v3", MarkedJsonFormat.DeepSeekV3),
        Marked("deepseek_v31", MarkedJsonFormat.DeepSeekV31),
        Markup("deepseek_v32", MarkupFormat.DeepSeekV32),
        Markup("deepseek_v4", MarkupFormat.DeepSeekV4),
        Markup("glm45", MarkupFormat.Glm),
        Markup("glm47", MarkupFormat.Glm),   // the same but for line ends, which are optional to both
        Marked("kimi_k2", MarkedJsonFormat.Kimi),
        new("json", [], (output, schemas, parallel) => new BareJsonParser(output, schemas, parallel)),
    ];

    /// <summary>Names for an option's help and errors.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(format => format.Name)];

    /// <summary>An answer that is one call or a list of calls as JSON, as a grammar enforces it.</summary>
    public static ToolCallFormat Json { get; } = Find("json")!;

    public string Name { get; }

    /// <summary>Texts that mean something to the parser: where one of them is a special token, it has to be kept in the text.</summary>
    public IReadOnlyList<string> Markers { get; }

    /// <summary>The format of that name, or null.</summary>
    public static ToolCallFormat? Find(string name) => Array.Find(Known, format => format.Name == name);

    /// <summary>What a chat template shows a model's earlier calls as; null when it shows none that is known.</summary>
    public static ToolCallFormat? Detect(string? template)
    {
        if (template is null) return null;
        return Find(template switch
        {
            _ when Has("<|tool_call_argument_begin|>") => "kimi_k2",
            _ when Has("<｜DSML｜tool_calls>") => "deepseek_v4",
            _ when Has("DSML｜invoke") => "deepseek_v32",
            _ when Has("<｜tool▁sep｜>") => Has("```json") ? "deepseek_v3" : "deepseek_v31",
            _ when Has("<arg_key>") => "glm45",
            _ when Has("<function=") => "qwen3_xml",
            _ when Has("<tool_call>") => "hermes",
            _ => "",
        });

        bool Has(string text) => template.Contains(text, StringComparison.Ordinal);
    }

    internal CallParser Create(AnswerWriter output, ToolSchemas schemas, bool parallel) => _create(output, schemas, parallel);

    private static ToolCallFormat Markup(string name, MarkupFormat format) =>
        new(name, format.Markers, (output, schemas, parallel) => new MarkupParser(format, output, schemas, parallel));

    private static ToolCallFormat Marked(string name, MarkedJsonFormat format) =>
        new(name, format.Markers, (output, schemas, parallel) => new MarkedJsonParser(format, output, schemas, parallel));
}
