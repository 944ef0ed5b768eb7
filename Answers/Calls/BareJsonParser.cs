namespace NanoAspire.Answers.Calls;

/// <summary>
/// An answer that is nothing but calls: <c>{"name": …, "arguments": {…}}</c> or a list of them. Some models write it by themselves,
/// and it is what a grammar enforces where the request demands a call.
/// </summary>
internal sealed class BareJsonParser(AnswerWriter output, ToolSchemas schemas, bool parallel) : JsonCallParser(output, schemas, parallel)
{
    protected override IReadOnlyList<string> Openers => [];

    protected override IEnumerable<bool> Run()
    {
        foreach (var wait in Block()) yield return wait;
        foreach (var wait in base.Run()) yield return wait;   // whatever else there is, is text
    }

    protected override IEnumerable<bool> Block()
    {
        while (!SkipSpace()) yield return true;
        if (Place >= Input.Rest.Length) yield break;
        var list = Input.Rest[Place] == '[';
        if (list) Place++;
        for (var more = true; more && !Done;)
        {
            while (!SkipSpace()) yield return true;
            foreach (var wait in CallObject([])) yield return wait;
            if (Last is not Outcome.Complete) yield break;
            Take();
            while (!SkipSpace()) yield return true;
            more = list && Accept(",") is true;
        }
        if (list) Accept("]");
        Take();
        Boundary();
    }
}
