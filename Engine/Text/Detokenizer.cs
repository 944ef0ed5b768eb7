using System.Text;
using NanoAspire.Engine.Text.Tokenization;

namespace NanoAspire.Engine.Text;

/// <summary>
/// Turns tokens into text one at a time. All that <see cref="Append"/> and <see cref="Flush"/> return, put together, is
/// <see cref="Tokenizer.Decode"/> of all the tokens. For one sequence, one thread at a time.
/// </summary>
public sealed class Detokenizer
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly StringBuilder _output = new();
    private readonly DecoderStage _stage;

    public Detokenizer(Tokenizer tokenizer, bool skipSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
        _stage = tokenizer.OpenDecoder(_output);
    }

    /// <summary>The text that is certain now: empty while a character's bytes are incomplete.</summary>
    public string Append(int id)
    {
        _tokenizer.Push(id, _skipSpecialTokens, _stage);
        return Take();
    }

    /// <summary>The end of the tokens: what was held back, an incomplete character as U+FFFD. Ready for another sequence afterwards.</summary>
    public string Flush()
    {
        _stage.Flush();
        return Take();
    }

    private string Take()
    {
        if (_output.Length == 0) return "";
        var text = _output.ToString();
        _output.Clear();
        return text;
    }
}
