namespace NanoAspire.Engine.Text.Patterns;

/// <summary>
/// Runs a <see cref="RunePattern"/> by backtracking on its own stack: long texts cannot overflow the thread's.
/// Text must be well-formed UTF-16; positions are in UTF-16 units. Not thread-safe: one matcher a thread.
/// </summary>
internal sealed class RuneMatcher(RunePattern pattern)
{
    private Frame[] _frames = new Frame[32];
    private int _top;
    private long _steps;

    /// <summary>Where to go on after a failure. A floor of -1 is a plain alternative, otherwise a loop that can give back characters down to it.</summary>
    private readonly record struct Frame(int Program, int Position, int Floor);

    /// <summary>The first match at or after <paramref name="from"/>.</summary>
    /// <exception cref="FormatException">The pattern backtracks out of all proportion on this text.</exception>
    public bool Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        for (start = from; start <= text.Length; start += start < text.Length ? UnitsAt(text, start) : 1)
        {
            _steps = 10_000 + 500L * (text.Length - start);
            _top = 0;
            end = Run(pattern.Program, text, start);
            if (end >= 0) return true;
        }
        end = -1;
        return false;
    }

    private int Run(Instruction[] program, ReadOnlySpan<char> text, int position)
    {
        var bottom = _top;
        var at = 0;
        while (true)
        {
            if (--_steps < 0) throw new FormatException("a pattern of the tokenizer needs too many steps on this text");
            ref readonly var step = ref program[at];
            var ok = true;
            switch (step.Op)
            {
                case Op.Done:
                    _top = bottom;
                    return position;
                case Op.One:
                    ok = position < text.Length && step.Set!.Contains(PointAt(text, position, out var units)) && (position += units) > 0;
                    at++;
                    break;
                case Op.Loop:
                    ok = Loop(step, text, ref position, ++at);
                    break;
                case Op.Split:
                    Push(new(step.Y, position, -1));
                    at = step.X;
                    break;
                case Op.Jump:
                    at = step.X;
                    break;
                case Op.Look:
                    ok = Look(step, text, position);
                    at++;
                    break;
                case Op.Atomic:
                    var end = Run(step.Body!, text, position);
                    ok = end >= 0;
                    position = end;
                    at++;
                    break;
                case Op.Position:
                    ok = Holds((Anchor)step.X, text, position);
                    at++;
                    break;
            }
            if (ok) continue;

            if (_top == bottom) return -1;
            var frame = _frames[--_top];
            position = frame.Position;
            if (frame.Floor >= 0)
            {
                position -= UnitsBefore(text, position);
                if (position > frame.Floor) Push(frame with { Position = position });
            }
            at = frame.Program;
        }
    }

    private bool Loop(in Instruction step, ReadOnlySpan<char> text, ref int position, int next)
    {
        var floor = step.X == 0 ? position : -1;
        for (var count = 0; count != step.Y && position < text.Length; _steps--)
        {
            if (!step.Set!.Contains(PointAt(text, position, out var units))) break;
            position += units;
            if (++count == step.X) floor = position;
        }
        if (floor < 0) return false;
        if (position > floor && !step.Flag) Push(new(next, position, floor));
        return true;
    }

    private bool Look(in Instruction step, ReadOnlySpan<char> text, int position)
    {
        var start = position;
        for (var i = 0; i < step.X; i++)
        {
            if (start == 0) return step.Flag;
            start -= UnitsBefore(text, start);
        }
        var end = Run(step.Body!, text, start);
        return (end >= 0 && (step.X == 0 || end == position)) != step.Flag;
    }

    private static bool Holds(Anchor anchor, ReadOnlySpan<char> text, int position) => anchor switch
    {
        Anchor.TextStart => position == 0,
        Anchor.TextEnd => position == text.Length,
        Anchor.TextEndOrLastNewline => position == text.Length || (position == text.Length - 1 && text[position] == '\n'),
        Anchor.LineStart => position == 0 || text[position - 1] == '\n',
        Anchor.LineEnd => position == text.Length || text[position] == '\n',
        Anchor.WordBoundary => AtWordBoundary(text, position),
        _ => !AtWordBoundary(text, position),
    };

    private static bool AtWordBoundary(ReadOnlySpan<char> text, int position)
    {
        var before = position > 0 && RuneSet.Word.Contains(PointAt(text, position - UnitsBefore(text, position), out _));
        var after = position < text.Length && RuneSet.Word.Contains(PointAt(text, position, out _));
        return before != after;
    }

    private static int PointAt(ReadOnlySpan<char> text, int position, out int units)
    {
        var c = text[position];
        if (!char.IsHighSurrogate(c))
        {
            units = 1;
            return c;
        }
        units = 2;
        return char.ConvertToUtf32(c, text[position + 1]);
    }

    private static int UnitsAt(ReadOnlySpan<char> text, int position) => char.IsHighSurrogate(text[position]) ? 2 : 1;

    private static int UnitsBefore(ReadOnlySpan<char> text, int position) => char.IsLowSurrogate(text[position - 1]) ? 2 : 1;

    private void Push(Frame frame)
    {
        if (_top == _frames.Length) Array.Resize(ref _frames, _frames.Length * 2);
        _frames[_top++] = frame;
    }
}
