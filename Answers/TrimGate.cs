using System.Text;

namespace NanoAspire.Answers;

/// <summary>
/// Lets a text through without the white space that only sets it off from its neighbours: line ends after a boundary, and all
/// white space before one. What has no boundary beside it stays as it is.
/// </summary>
internal sealed class TrimGate(AnswerWriter output, AnswerDeltaKind kind)
{
    private readonly StringBuilder _held = new();
    private bool _afterBoundary;
    private bool _blank = true;

    public void Push(ReadOnlySpan<char> text)
    {
        var end = text.TrimEnd().Length;
        if (end == 0)
        {
            _held.Append(text);
            return;
        }
        _held.Append(text[..end]);
        var ready = _held.ToString().AsSpan();
        output.Text(kind, _blank && _afterBoundary ? ready.TrimStart("\r\n") : ready);
        _held.Clear().Append(text[end..]);
        _blank = false;
    }

    /// <summary>Something else begins or has just ended here.</summary>
    public void Boundary()
    {
        _held.Clear();
        _afterBoundary = true;
        _blank = true;
    }

    /// <summary>The end of the answer.</summary>
    public void Flush()
    {
        // White space alone after a call or a thought is layout; with nothing before it, it is all the model said.
        if (!(_blank && _afterBoundary)) output.Text(kind, _held.ToString());
        _held.Clear();
    }
}
