using System.Runtime.CompilerServices;
using System.Text;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>One rendering: where the output goes, what has been spent, which line is being rendered. Not shared.</summary>
internal sealed class RenderContext(RenderLimits limits, TimeProvider time)
{
    private StringBuilder _output = new();
    private long _steps;
    private long _characters;
    private int _depth;

    public TimeProvider Time => time;

    /// <summary>The line of the statement at work, for messages.</summary>
    public int Line { get; set; } = 1;

    public string Output => _output.ToString();

    public void Write(string text)
    {
        CheckSize((long)_output.Length + text.Length);
        _output.Append(text);
    }

    /// <summary>What <paramref name="body"/> writes, instead of writing it.</summary>
    public string Capture(Action body)
    {
        var outer = _output;
        _output = new();
        try
        {
            body();
            return Made(_output.ToString());
        }
        finally
        {
            _output = outer;
        }
    }

    /// <summary>Runs one level deeper: a macro call, a recursive loop.</summary>
    public T Nested<T>(Func<T> body)
    {
        if (_depth >= limits.MaxDepth) throw new TemplateError($"macros and loops nest deeper than {limits.MaxDepth} levels");
        CheckStack();
        var line = Line;
        _depth++;
        try
        {
            return body();
        }
        finally
        {
            _depth--;
            Line = line;
        }
    }

    /// <summary>Fails while failing is still possible.</summary>
    public static void CheckStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new TemplateError("the template nests too deeply");
    }

    /// <summary>Accounts for iterations.</summary>
    public void Spend(int steps = 1)
    {
        _steps += steps;
        if (_steps > limits.MaxIterations) throw new TemplateError($"more than {limits.MaxIterations} loop iterations");
    }

    /// <summary>Refuses a text before it is made.</summary>
    public void CheckSize(long length)
    {
        if (length > limits.MaxOutput) throw new TemplateError($"a text becomes longer than {limits.MaxOutput} characters");
    }

    /// <summary>Accounts for a text that was made.</summary>
    public string Made(string text)
    {
        CheckSize(text.Length);
        _characters += text.Length;
        if (_characters > limits.MaxCharacters) throw new TemplateError("the template makes too much text");
        return text;
    }
}

/// <summary>What one rendering may use up.</summary>
/// <param name="MaxOutput">Characters of the output, and of any one string.</param>
/// <param name="MaxCharacters">Characters of all strings made on the way.</param>
/// <param name="MaxIterations">Items that loops, filters and ranges go through.</param>
/// <param name="MaxDepth">Macro calls and recursive loops inside each other.</param>
internal sealed record RenderLimits(int MaxOutput = 16 << 20, long MaxCharacters = 1L << 30, long MaxIterations = 2_000_000, int MaxDepth = 100);
