namespace NanoAspire.Answers.Calls;

/// <summary>A section of calls between markers of their own: DeepSeek V3 and V3.1, Kimi K2.</summary>
internal sealed class MarkedJsonParser(MarkedJsonFormat format, AnswerWriter output, ToolSchemas schemas, bool parallel) : JsonCallParser(output, schemas, parallel)
{
    private const int MostHeader = 512;
    private const string Fence = "```";
    private readonly string[] _ends = [format.CallEnd];

    protected override IReadOnlyList<string> Openers { get; } = [format.SectionBegin, format.CallBegin];

    protected override IEnumerable<bool> Block()
    {
        bool? found;
        while ((found = Accept(format.SectionBegin)) is null) yield return true;
        var opener = found is true ? format.SectionBegin : format.CallBegin;
        while (!SkipSpace()) yield return true;
        for (var any = false; ; any = true)
        {
            while ((found = Accept(format.CallBegin)) is null) yield return true;
            if (found is false && any) break;
            Last = Outcome.Rejected;
            if (found is true) foreach (var wait in Call()) yield return wait;
            if (Last is Outcome.Rejected)
            {
                Reject(opener);
                yield break;
            }
            Take();
            Boundary();
            if (Done) yield break;
            while (!SkipSpace()) yield return true;
            Take();
            opener = format.CallBegin;
        }
        while (Accept(format.SectionEnd) is null) yield return true;
        Take();
    }

    /// <summary>One call after its opening marker.</summary>
    private IEnumerable<bool> Call()
    {
        string? header;
        while ((header = Until(MostHeader, format.Separator)) is null && MayComeWithin(MostHeader)) yield return true;
        if (header is null) yield break;
        Place += format.Separator.Length;
        if (format.Fenced)
        {
            while ((header = Until(MostHeader, "\n")) is null && MayComeWithin(MostHeader)) yield return true;
            if (header is null) yield break;
            while (!SkipSpace()) yield return true;
            while (Accept(Fence + "json") is null) yield return true;
        }
        var (name, id) = format.Header(header.Trim());
        if (!IsName(name)) yield break;
        while (!SkipSpace()) yield return true;
        bool? empty;
        while ((empty = Next(format.CallEnd)) is null) yield return true;
        if (empty is true)
        {
            WholeCall(name, "{}", id);
            Last = Outcome.Complete;
        }
        else
        {
            foreach (var wait in Arguments(name, id, _ends)) yield return wait;
            if (Last is Outcome.Rejected) yield break;
        }
        while (!SkipSpace()) yield return true;
        if (format.Fenced)
        {
            while (Accept(Fence) is null) yield return true;
            while (!SkipSpace()) yield return true;
        }
        while (Accept(format.CallEnd) is null) yield return true;
    }
}
