namespace NanoAspire.Answers.Calls;

/// <summary>Hermes and Qwen: <c>&lt;tool_call&gt;{"name": …, "arguments": {…}}&lt;/tool_call&gt;</c>, repeated for parallel calls.</summary>
internal sealed class HermesParser(AnswerWriter output, ToolSchemas schemas, bool parallel) : JsonCallParser(output, schemas, parallel)
{
    public const string Open = "<tool_call>";
    public const string Close = "</tool_call>";
    private static readonly string[] Ends = [Close];

    protected override IReadOnlyList<string> Openers { get; } = [Open];

    protected override IEnumerable<bool> Block()
    {
        Place = Open.Length;
        while (!SkipSpace()) yield return true;
        foreach (var wait in CallObject(Ends)) yield return wait;
        if (Last is Outcome.Rejected)
        {
            Reject(Open);
            yield break;
        }
        // A brace or the closing tag may be missing; the call was complete without.
        while (!SkipSpace()) yield return true;
        if (Accept("}") is true) while (!SkipSpace()) yield return true;
        while (Accept(Close) is not { } closed) yield return true;
        Take();
        Boundary();
    }
}
