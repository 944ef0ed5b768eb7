namespace NanoAspire.Answers;

/// <summary>Text that has arrived and has not been understood yet.</summary>
internal sealed class PendingText
{
    private char[] _buffer = new char[256];
    private int _start;
    private int _end;

    public ReadOnlySpan<char> Rest => _buffer.AsSpan(_start, _end - _start);

    /// <summary>No more will come.</summary>
    public bool Final { get; set; }

    public void Append(ReadOnlySpan<char> text)
    {
        if (_end + text.Length > _buffer.Length)
        {
            var rest = Rest;
            var larger = rest.Length + text.Length > _buffer.Length ? new char[Math.Max(_buffer.Length * 2, rest.Length + text.Length)] : _buffer;
            rest.CopyTo(larger);
            (_buffer, _start, _end) = (larger, 0, rest.Length);
        }
        text.CopyTo(_buffer.AsSpan(_end));
        _end += text.Length;
    }

    public void Skip(int count) => _start += count;
}
