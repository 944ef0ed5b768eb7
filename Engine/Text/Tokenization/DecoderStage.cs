using System.Text;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>One stage of a <see cref="TokenDecoder"/> pipeline. After a Fuse the tokens are just chunks of one text.</summary>
internal abstract class DecoderStage(DecoderStage? next)
{
    protected DecoderStage Next => next ?? throw new InvalidOperationException("The last stage has no next one.");

    public abstract void Push(string token);

    /// <summary>The end of the list: lets go of what was held back and is then ready for another list.</summary>
    public virtual void Flush() => next?.Flush();
}

internal sealed class OutputStage(StringBuilder output) : DecoderStage(null)
{
    public override void Push(string token) => output.Append(token);
}

/// <summary>What a tokenizer without a decoder does.</summary>
internal sealed class SpaceJoinStage(DecoderStage next) : DecoderStage(next)
{
    private bool _first = true;

    public override void Push(string token)
    {
        Next.Push(_first ? token : " " + token);
        _first = false;
    }

    public override void Flush()
    {
        _first = true;
        base.Flush();
    }
}

/// <summary>Bytes to text; a character whose bytes are not complete yet waits for the next token.</summary>
internal sealed class ByteLevelStage(DecoderStage next) : DecoderStage(next)
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    public override void Push(string token) => Pass(ByteAlphabet.Decode(token), flush: false);

    public override void Flush()
    {
        Pass([], flush: true);
        base.Flush();
    }

    private void Pass(byte[] bytes, bool flush)
    {
        var chars = new char[_utf8.GetCharCount(bytes, flush)];
        _utf8.GetChars(bytes, chars, flush);
        if (chars.Length > 0) Next.Push(new string(chars));
    }
}

/// <summary>
/// Joins runs of byte tokens. A run is text only if all of it is valid UTF-8, else one replacement character a byte,
/// so it is final only when another token ends it.
/// </summary>
internal sealed class ByteFallbackStage(DecoderStage next) : DecoderStage(next)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly List<byte> _run = [];

    public static bool TryByte(string token, out byte value)
    {
        value = 0;
        return token is ['<', '0', 'x', _, _, '>']
            && byte.TryParse(token.AsSpan(3, 2), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out value);
    }

    public override void Push(string token)
    {
        if (TryByte(token, out var value))
        {
            _run.Add(value);
            return;
        }
        EndRun();
        Next.Push(token);
    }

    public override void Flush()
    {
        EndRun();
        base.Flush();
    }

    private void EndRun()
    {
        if (_run.Count == 0) return;
        try
        {
            Next.Push(Strict.GetString([.. _run]));
        }
        catch (DecoderFallbackException)
        {
            for (var i = 0; i < _run.Count; i++) Next.Push("\uFFFD");
        }
        _run.Clear();
    }
}

internal sealed class ReplaceTokenStage(DecoderStage next, TextPattern pattern, string content) : DecoderStage(next)
{
    public override void Push(string token) => Next.Push(pattern.Replace(token, content));
}

/// <summary>Replaces across chunks: what may be the start of the text to replace waits.</summary>
internal sealed class ReplaceStreamStage(DecoderStage next, string text, string content) : DecoderStage(next)
{
    private string _held = "";

    public override void Push(string token)
    {
        var all = _held + token;
        var done = 0;
        while (all.IndexOf(text, done, StringComparison.Ordinal) is >= 0 and var found)
        {
            Next.Push(string.Concat(all.AsSpan(done, found - done), content));
            done = found + text.Length;
        }
        var hold = Math.Min(text.Length - 1, all.Length - done);
        while (!text.AsSpan().StartsWith(all.AsSpan(all.Length - hold), StringComparison.Ordinal)) hold--;
        if (all.Length - hold > done) Next.Push(all[done..^hold]);
        _held = all[^hold..];
    }

    public override void Flush()
    {
        if (_held.Length > 0) Next.Push(_held);
        _held = "";
        base.Flush();
    }
}

internal sealed class StripTokenStage(DecoderStage next, char character, int start, int stop) : DecoderStage(next)
{
    public override void Push(string token)
    {
        var (first, end) = (0, token.Length);
        while (first < token.Length && first < start && token[first] == character) first++;
        while (end > first && token.Length - end < stop && token[end - 1] == character) end--;
        Next.Push(token[first..end]);
    }
}

/// <summary>Strips the two ends of one text that comes in chunks: as many characters as may be stripped at the end wait.</summary>
internal sealed class StripStreamStage(DecoderStage next, char character, int start, int stop) : DecoderStage(next)
{
    private int _stripped;
    private int _held;

    public override void Push(string token)
    {
        var first = 0;
        while (first < token.Length && _stripped < start && token[first] == character)
        {
            first++;
            _stripped++;
        }
        if (first == token.Length) return;
        _stripped = start;
        var end = token.Length;
        while (end > first && token[end - 1] == character) end--;
        if (end == first)
        {
            _held += token.Length - first;                              // all of it may still be the end
        }
        else
        {
            Next.Push(new string(character, _held) + token[first..end]);
            _held = token.Length - end;
        }
        if (_held <= stop) return;
        Next.Push(new string(character, _held - stop));
        _held = stop;
    }

    public override void Flush()
    {
        (_stripped, _held) = (0, 0);
        base.Flush();
    }
}
