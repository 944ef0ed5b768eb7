namespace NanoAspire.Engine.Text.Grammar.Tools;

/// <summary>How a model family writes calls: the text around names and arguments, line ends included.</summary>
internal sealed record CallSyntax
{
    /// <summary>What an answer's first call begins with: text that is not a call does not contain it.</summary>
    public required string Opener { get; init; }
    /// <summary>Before the first call and after the last one.</summary>
    public string Begin { get; init; } = "";
    public string End { get; init; } = "";
    public string Separator { get; init; } = "";
    /// <summary>What takes the place of <see cref="Begin"/>, <see cref="Separator"/> and <see cref="End"/> where there may be several calls; null for the same.</summary>
    public (string Begin, string Separator, string End)? Many { get; init; }
    public required string BeforeName { get; init; }
    public required string AfterName { get; init; }
    public required string AfterArguments { get; init; }
    /// <summary>The name is followed by the call's number.</summary>
    public bool Numbered { get; init; }
    /// <summary>Null: the arguments are one JSON object.</summary>
    public MarkupArguments? Markup { get; init; }

    private static readonly CallSyntax DeepSeekV31 = new()
    {
        Opener = "<｜tool▁calls▁begin｜>",
        Begin = "<｜tool▁calls▁begin｜>",
        BeforeName = "<｜tool▁call▁begin｜>",
        AfterName = "<｜tool▁sep｜>",
        AfterArguments = "<｜tool▁call▁end｜>",
        End = "<｜tool▁calls▁end｜>",
    };

    private static readonly CallSyntax DeepSeekV32 = new()
    {
        Opener = "<｜DSML｜function_calls>",
        Begin = "<｜DSML｜function_calls>\n",
        BeforeName = "<｜DSML｜invoke name=\"",
        AfterName = "\">\n",
        AfterArguments = "</｜DSML｜invoke>\n",
        End = "</｜DSML｜function_calls>",
        Markup = new("<｜DSML｜parameter name=\"", "\" string=\"true\">", "\" string=\"false\">", "</｜DSML｜parameter>\n") { Forbidden = ["</｜DSML｜parameter>"] },
    };

    private static readonly CallSyntax Glm = new()
    {
        Opener = "<tool_call>",
        BeforeName = "<tool_call>",
        AfterName = "\n",
        AfterArguments = "</tool_call>",
        Separator = "\n",
        Markup = new("<arg_key>", "</arg_key>\n<arg_value>", "</arg_key>\n<arg_value>", "</arg_value>\n") { Forbidden = ["</arg_value>"] },
    };

    private static readonly Dictionary<string, CallSyntax> Known = new(StringComparer.Ordinal)
    {
        ["hermes"] = new()
        {
            Opener = "<tool_call>",
            BeforeName = "<tool_call>\n{\"name\": \"",
            AfterName = "\", \"arguments\": ",
            AfterArguments = "}\n</tool_call>",
            Separator = "\n",
        },
        ["qwen3_xml"] = new()
        {
            Opener = "<tool_call>",
            BeforeName = "<tool_call>\n<function=",
            AfterName = ">\n",
            AfterArguments = "</function>\n</tool_call>",
            Separator = "\n",
            Markup = new("<parameter=", ">\n", ">\n", "\n</parameter>\n")
            {
                Forbidden = ["</parameter>", "<parameter=", "</function>", "</tool_call>"],
                UndeclaredAreText = true,
            },
        },
        ["deepseek_v3"] = DeepSeekV31 with { BeforeName = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>", AfterName = "\n```json\n", AfterArguments = "\n```<｜tool▁call▁end｜>", Separator = "\n" },
        ["deepseek_v31"] = DeepSeekV31,
        ["deepseek_v32"] = DeepSeekV32,
        ["deepseek_v4"] = DeepSeekV32 with { Opener = "<｜DSML｜tool_calls>", Begin = "<｜DSML｜tool_calls>\n", End = "</｜DSML｜tool_calls>" },
        ["glm45"] = Glm,
        ["glm47"] = Glm with { AfterName = "", Markup = new("<arg_key>", "</arg_key><arg_value>", "</arg_key><arg_value>", "</arg_value>") { Forbidden = ["</arg_value>"] } },
        ["kimi_k2"] = new()
        {
            Opener = "<|tool_calls_section_begin|>",
            Begin = "<|tool_calls_section_begin|>",
            BeforeName = "<|tool_call_begin|>functions.",
            AfterName = "<|tool_call_argument_begin|>",
            AfterArguments = "<|tool_call_end|>",
            End = "<|tool_calls_section_end|>",
            Numbered = true,
        },
        ["json"] = new() { Opener = "{", BeforeName = "{\"name\": \"", AfterName = "\", \"arguments\": ", AfterArguments = "}", Many = ("[", ",", "]") },
    };

    public static IReadOnlyCollection<string> Names => Known.Keys;

    public static CallSyntax? Find(string name) => Known.GetValueOrDefault(name);
}

/// <summary>Arguments between tags, one after the other, each value as bare text or as JSON.</summary>
/// <param name="Open">Before a parameter's name.</param>
/// <param name="ThenText">Between the name and a bare text.</param>
/// <param name="ThenJson">Between the name and a JSON value.</param>
/// <param name="Close">After the value.</param>
internal sealed record MarkupArguments(string Open, string ThenText, string ThenJson, string Close)
{
    /// <summary>What a bare text must not contain, for it would end it.</summary>
    public required IReadOnlyList<string> Forbidden { get; init; }
    /// <summary>A reader takes a parameter without a declaration for text; otherwise for JSON.</summary>
    public bool UndeclaredAreText { get; init; }
}
