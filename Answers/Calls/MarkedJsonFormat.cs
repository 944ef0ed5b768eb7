namespace NanoAspire.Answers.Calls;

/// <summary>Markers of a format that frames name and JSON arguments.</summary>
/// <param name="SectionBegin">Before the first call; models sometimes leave it out.</param>
/// <param name="CallBegin">Before each call.</param>
/// <param name="Separator">Between what names the call and its arguments.</param>
/// <param name="CallEnd">After each call.</param>
/// <param name="SectionEnd">After the last call.</param>
/// <param name="Fenced">The separator follows a type word; then comes the name on its line, and the arguments in a code fence.</param>
/// <param name="NumberedIds">What names the call is its id, <c>functions.NAME:INDEX</c>; the model wants to see it again unchanged.</param>
internal sealed record MarkedJsonFormat(string SectionBegin, string CallBegin, string Separator, string CallEnd, string SectionEnd, bool Fenced = false, bool NumberedIds = false)
{
    public static readonly MarkedJsonFormat DeepSeekV31 = new(
        "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>");

    public static readonly MarkedJsonFormat DeepSeekV3 = DeepSeekV31 with { Fenced = true };

    public static readonly MarkedJsonFormat Kimi = new(
        "<|tool_calls_section_begin|>", "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>", "<|tool_calls_section_end|>", NumberedIds: true);

    public IReadOnlyList<string> Markers => [SectionBegin, CallBegin, Separator, CallEnd, SectionEnd];

    /// <summary>Name and id of a call whose header reads so.</summary>
    public (string Name, string? Id) Header(string header)
    {
        if (!NumberedIds) return (header, null);
        var colon = header.LastIndexOf(':');
        var name = colon < 0 ? header : header[..colon];
        return (name[(name.LastIndexOf('.') + 1)..], header);
    }
}
