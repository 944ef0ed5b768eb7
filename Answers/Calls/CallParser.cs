using System.Buffers;

namespace NanoAspire.Answers.Calls;

/// <summary>
/// Finds tool calls in a text that is still being written. Each format is an iterator over <see cref="Input"/> that yields whenever
/// it cannot tell without more text, so where the text is cut makes no difference. Until a call is certain nothing of it is taken
/// out of the text: what turns out to be no call goes on as content.
/// </summary>
internal abstract class CallParser
{
    private static readonly SearchValues<char> NoName = SearchValues.Create(" \t\r\n\"'<>{}[]()`");

    private readonly TrimGate _content;
    private IEnumerator<bool>? _run;

    protected CallParser(AnswerWriter output, ToolSchemas schemas, bool parallel)
    {
        (Output, Schemas, Parallel) = (output, schemas, parallel);
        _content = new(output, AnswerDeltaKind.Content);
    }

    protected PendingText Input { get; } = new();
    protected AnswerWriter Output { get; }
    protected ToolSchemas Schemas { get; }
    protected bool Parallel { get; }
    /// <summary>Place in <see cref="Input"/> up to which the call being read is understood.</summary>
    protected int Place { get; set; }
    /// <summary>The text ended because the token budget did, not because the model was done.</summary>
    protected bool Truncated { get; private set; }
    /// <summary>The only call that was allowed is complete; further text is dropped.</summary>
    public bool Done { get; protected set; }

    /// <summary>Where a call may begin.</summary>
    protected abstract IReadOnlyList<string> Openers { get; }

    /// <summary>The text before this parser's was something else: white space between them is layout.</summary>
    public void Boundary() => _content.Boundary();

    public void Append(ReadOnlySpan<char> text)
    {
        if (Done) return;
        Input.Append(text);
        Advance();
    }

    public void Finish(bool truncated)
    {
        Input.Final = true;
        Truncated = truncated;
        if (!Done) Advance();
        _content.Flush();
    }

    /// <summary>Reads what begins at <see cref="Place"/> 0 with one of <see cref="Openers"/>; ends by <see cref="Take"/> or <see cref="Reject"/>.</summary>
    protected abstract IEnumerable<bool> Block();

    protected virtual IEnumerable<bool> Run()
    {
        while (!Done)
        {
            while (true)
            {
                var (at, _) = Markers.Find(Input.Rest, Openers);
                var safe = at >= 0 ? at : Input.Rest.Length - (Input.Final ? 0 : Markers.Held(Input.Rest, Openers));
                Content(safe);
                if (at >= 0) break;
                if (Input.Final) yield break;
                yield return true;
            }
            foreach (var wait in Block()) yield return wait;
        }
    }

    /// <summary>Passes so many characters on as content.</summary>
    protected void Content(int length)
    {
        _content.Push(Input.Rest[..length]);
        Input.Skip(length);
        Place = 0;
    }

    /// <summary>Everything up to <see cref="Place"/> has been used.</summary>
    protected void Take()
    {
        Input.Skip(Place);
        Place = 0;
    }

    /// <summary>This is no call: its opener is content, and so is what follows unless a call begins in it.</summary>
    protected void Reject(string opener) => Content(Math.Min(opener.Length, Input.Rest.Length));

    protected void BeginCall(string name, string? id = null)
    {
        _content.Boundary();
        Output.BeginCall(name, id);
    }

    protected void EndCall()
    {
        Output.EndCall();
        if (!Parallel) Done = true;
    }

    /// <summary>False when white space reaches the end of what is known.</summary>
    protected bool SkipSpace()
    {
        var rest = Input.Rest;
        while (Place < rest.Length && char.IsWhiteSpace(rest[Place])) Place++;
        return Place < rest.Length || Input.Final;
    }

    /// <summary>Whether the literal is next, and if so steps over it; null when it is too early to tell.</summary>
    protected bool? Accept(string literal)
    {
        var found = Next(literal);
        if (found is true) Place += literal.Length;
        return found;
    }

    protected bool? Next(string literal) => Markers.Starts(Input.Rest[Place..], literal, Input.Final);

    /// <summary>The text up to the first of the markers, which is not stepped over; null while there is none.</summary>
    protected string? Until(int most, params ReadOnlySpan<string> markers)
    {
        var rest = Input.Rest[Place..];
        var first = -1;
        foreach (var marker in markers)
        {
            var at = rest.IndexOf(marker, StringComparison.Ordinal);
            if (at >= 0 && (first < 0 || at < first)) first = at;
        }
        if (first < 0 || first > most) return null;
        Place += first;
        return rest[..first].ToString();
    }

    /// <summary>Whether a marker can still come: within so many characters, and the text goes on.</summary>
    protected bool MayComeWithin(int most) => !Input.Final && Input.Rest.Length - Place <= most + 64;

    /// <summary>What a function may be called: anything without white space, quotes or brackets, so that prose is not taken for it.</summary>
    protected static bool IsName(string name) => name.Length is > 0 and <= 256 && name.AsSpan().IndexOfAny(NoName) < 0;

    private void Advance()
    {
        _run ??= Run().GetEnumerator();
        var waits = _run.MoveNext();
        if (!waits || !Input.Final) return;
        // A format that still waits at the end has seen the beginning of something: that is text.
        Content(Input.Rest.Length);
        _content.Flush();
    }
}
