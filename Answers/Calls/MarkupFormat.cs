namespace NanoAspire.Answers.Calls;

/// <summary>Tags of a format that writes each argument between tags.</summary>
internal sealed record MarkupFormat
{
    /// <summary>Begins a call, or a block of them.</summary>
    public required string Open { get; init; }
    /// <summary>Before the function's name, after white space; empty when the name follows <see cref="Open"/> at once.</summary>
    public string CallOpen { get; init; } = "";
    /// <summary>After the name; null when the name ends at its line's end or the next tag.</summary>
    public string? CallOpenEnd { get; init; }
    public required string ParameterOpen { get; init; }
    /// <summary>After the parameter's name.</summary>
    public required string ParameterOpenEnd { get; init; }
    /// <summary>Before the value, after white space.</summary>
    public string? ValueOpen { get; init; }
    public required string ParameterClose { get; init; }
    public required string CallClose { get; init; }
    /// <summary>Ends what <see cref="Open"/> began, where <see cref="CallClose"/> does not; a block may then hold several calls.</summary>
    public string? BlockClose { get; init; }
    /// <summary>A parameter may lack its closing tag: the next tag at the start of a line ends it. Line ends beside the value's tags are not part of it.</summary>
    public bool ByLines { get; init; }
    /// <summary>The parameter's tag says <c>string="true"</c> or <c>"false"</c>.</summary>
    public bool StringFlag { get; init; }
    /// <summary>A value of no declared type is JSON where it reads as JSON.</summary>
    public bool Guess { get; init; }

    public static readonly MarkupFormat Qwen = new()
    {
        Open = "<tool_call>",
        CallOpen = "<function=",
        CallOpenEnd = ">",
        ParameterOpen = "<parameter=",
        ParameterOpenEnd = ">",
        ParameterClose = "</parameter>",
        CallClose = "</function>",
        BlockClose = "</tool_call>",
        ByLines = true,
    };

    public static readonly MarkupFormat Glm = new()
    {
        Open = "<tool_call>",
        ParameterOpen = "<arg_key>",
        ParameterOpenEnd = "</arg_key>",
        ValueOpen = "<arg_value>",
        ParameterClose = "</arg_value>",
        CallClose = "</tool_call>",
        Guess = true,
    };

    public static readonly MarkupFormat DeepSeekV32 = new()
    {
        Open = "<｜DSML｜function_calls>",
        CallOpen = "<｜DSML｜invoke name=\"",
        CallOpenEnd = "\">",
        ParameterOpen = "<｜DSML｜parameter name=\"",
        ParameterOpenEnd = ">",
        ParameterClose = "</｜DSML｜parameter>",
        CallClose = "</｜DSML｜invoke>",
        BlockClose = "</｜DSML｜function_calls>",
        StringFlag = true,
        Guess = true,
    };

    public static readonly MarkupFormat DeepSeekV4 = DeepSeekV32 with { Open = "<｜DSML｜tool_calls>", BlockClose = "</｜DSML｜tool_calls>" };

    public IReadOnlyList<string> Markers =>
        [.. new[] { Open, CallOpen, ParameterOpen, ParameterOpenEnd, ValueOpen, ParameterClose, CallClose, BlockClose }.OfType<string>().Where(marker => marker.Length > 2)];

    /// <summary>Tags that can follow a value's closing tag.</summary>
    public IReadOnlyList<string> AfterValue => [.. new[] { ParameterOpen, CallClose, BlockClose }.OfType<string>()];
}
