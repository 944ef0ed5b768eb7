using System.Text;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>
/// The <c>decoder</c> of a tokenizer.json as a pipeline that takes one token at a time and lets text out as soon as no later token can change it.
/// Decoding a whole list runs the same pipeline, so the two cannot differ.
/// </summary>
internal sealed class TokenDecoder
{
    private readonly List<Func<DecoderStage, DecoderStage>> _stages = [];
    private readonly List<(TextPattern Pattern, string Content)> _tokenRewrites = [];
    private bool _fused;

    private TokenDecoder() { }

    public bool IsByteLevel { get; private set; }

    public bool HasByteFallback { get; private set; }

    public static TokenDecoder Read(JsonField field)
    {
        var decoder = new TokenDecoder();
        if (field.IsNull) decoder._stages.Add(next => new SpaceJoinStage(next));
        else decoder.Add(field);
        return decoder;
    }

    /// <summary>A fresh pipeline that writes into <paramref name="output"/>. It belongs to one caller.</summary>
    public DecoderStage Open(StringBuilder output)
    {
        DecoderStage stage = new OutputStage(output);
        for (var i = _stages.Count - 1; i >= 0; i--) stage = _stages[i](stage);
        return stage;
    }

    /// <summary>The bytes that a token adds to the text when nothing around it matters.</summary>
    public byte[] Bytes(string token)
    {
        if (IsByteLevel) return ByteAlphabet.Decode(token);
        if (HasByteFallback && ByteFallbackStage.TryByte(token, out var value)) return [value];
        foreach (var (pattern, content) in _tokenRewrites) token = pattern.Replace(token, content);
        return Encoding.UTF8.GetBytes(token);
    }

    private void Add(JsonField field)
    {
        var type = field["type"];
        switch (type.String())
        {
            case "Sequence":
                foreach (var item in field["decoders"].Items()) Add(item);
                break;
            case "ByteLevel":
                BeforeFuse(type);
                IsByteLevel = _fused = true;
                _stages.Add(next => new ByteLevelStage(next));
                break;
            case "ByteFallback":
                BeforeFuse(type);
                HasByteFallback = true;
                _stages.Add(next => new ByteFallbackStage(next));
                break;
            case "Fuse":
                _fused = true;                                          // what follows sees one stream of text
                break;
            case "Replace":
                AddReplace(field);
                break;
            case "Strip":
                var (character, start, stop) = (field["content"].Char(), field["start"].Int(), field["stop"].Int());
                if (start is < 0 or > 1000 || stop is < 0 or > 1000) throw field.Error("has a start or stop outside 0..1000");
                var fused = _fused;
                _stages.Add(next => fused ? new StripStreamStage(next, character, start, stop) : new StripTokenStage(next, character, start, stop));
                break;
            default:
                throw type.Error($"'{type.String()}' is not supported");
        }
    }

    private void AddReplace(JsonField field)
    {
        var pattern = TextPattern.Read(field["pattern"]);
        var content = field["content"].String();
        if (!_fused)
        {
            _tokenRewrites.Add((pattern, content));
            _stages.Add(next => new ReplaceTokenStage(next, pattern, content));
            return;
        }
        var literal = pattern.Literal ?? throw field["pattern"].Error("is a regular expression after a Fuse, which is not supported");
        _stages.Add(next => new ReplaceStreamStage(next, literal, content));
    }

    private void BeforeFuse(JsonField type)
    {
        if (_fused) throw type.Error($"'{type.String()}' after a Fuse is not supported");
    }
}
