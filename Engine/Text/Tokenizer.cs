using System.Text;
using NanoAspire.Engine.Text.Tokenization;

namespace NanoAspire.Engine.Text;

/// <summary>
/// A model's tokenizer, from its tokenizer.json (byte-pair encoding) and tokenizer_config.json. Safe to share between threads.
/// Text that is not well-formed UTF-16 is read with U+FFFD in place of its lone surrogates.
/// </summary>
public sealed class Tokenizer
{
    private readonly TokenizerParts _parts;
    private readonly AddedTokenSplitter _before;
    private readonly AddedTokenSplitter _afterNormalizing;
    private readonly string?[] _texts;
    private readonly byte[]?[] _bytes;
    private readonly HashSet<int> _special;
    private readonly Dictionary<string, int> _addedIds;

    private Tokenizer(TokenizerParts parts)
    {
        _parts = parts;
        var added = parts.AddedTokens;
        _before = new(added.Where(token => !token.Normalized).Select(token => (token, token.Content)));
        _afterNormalizing = new(added.Where(token => token.Normalized).Select(token => (token, parts.Normalizer.Normalize(token.Content))));
        _addedIds = added.ToDictionary(token => token.Content, token => token.Id);
        _special = [.. added.Where(token => token.Special).Select(token => token.Id)];

        VocabSize = Math.Max(parts.Model.Vocabulary.Values.Max(), added.Select(token => token.Id).DefaultIfEmpty().Max()) + 1;
        _texts = new string?[VocabSize];
        _bytes = new byte[]?[VocabSize];
        foreach (var (text, id) in parts.Model.Vocabulary) _texts[id] = text;
        foreach (var token in added) _texts[token.Id] = token.Content;
    }

    /// <summary>One more than the highest token id. Below it there may be ids without a token, and the model's logits may be wider.</summary>
    public int VocabSize { get; }

    /// <summary>The text of bos_token, eos_token, pad_token …, as tokenizer_config.json names them; only those that are set.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens => _parts.Config.SpecialTokens;

    /// <summary>Whether the folder has a tokenizer at all.</summary>
    public static bool Exists(string modelFolder) => File.Exists(Path.Combine(modelFolder, TokenizerParts.FileName));

    /// <exception cref="TokenizerException">A file is missing, malformed or uses something that is not supported.</exception>
    public static Tokenizer Load(string modelFolder) => new(TokenizerParts.Load(modelFolder));

    /// <summary>The token ids of a text. Special tokens written out in the text are recognised as such.</summary>
    /// <param name="text">The text; a rendered chat prompt carries its special tokens already.</param>
    /// <param name="addSpecialTokens">Whether to put the tokens around it that the model expects around a bare text (bos, say).</param>
    /// <exception cref="TokenizerException">The tokenizer's pattern needs out of all proportion many steps on this text.</exception>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 3 + 8);
        if (addSpecialTokens) ids.AddRange(_parts.PostProcessor.Before);
        try
        {
            EncodeInto(ids, WellFormed(text));
        }
        catch (FormatException e)
        {
            throw new TokenizerException(e.Message, e);
        }
        if (addSpecialTokens) ids.AddRange(_parts.PostProcessor.After);
        return [.. ids];
    }

    /// <summary>The text of a list of ids. Ids without a token are left out; bytes that are no UTF-8 become U+FFFD.</summary>
    public string Decode(IReadOnlyList<int> ids, bool skipSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var output = new StringBuilder();
        var stage = _parts.Decoder.Open(output);
        foreach (var id in ids) Push(id, skipSpecialTokens, stage);
        stage.Flush();
        return output.ToString();
    }

    public bool IsSpecial(int id) => _special.Contains(id);

    /// <summary>The token as the vocabulary spells it ("Ġworld"); empty for an id without a token.</summary>
    public string TokenText(int id) => Find(id) ?? "";

    /// <summary>The bytes that the token stands for (" world" in UTF-8), which need not be whole characters; empty for an id without a token.</summary>
    public ReadOnlyMemory<byte> TokenBytes(int id)
    {
        if (Find(id) is not { } text) return default;
        return _bytes[id] ??= _parts.Decoder.Bytes(text);
    }

    /// <summary>The id of a token as the vocabulary spells it.</summary>
    public int? TokenId(string token) =>
        _addedIds.TryGetValue(token, out var id) || _parts.Model.Vocabulary.TryGetValue(token, out id) ? id : null;

    /// <summary>Tokens that stand beside the byte-pair vocabulary, special or not.</summary>
    internal IReadOnlyList<AddedToken> AddedTokens => _parts.AddedTokens;

    internal DecoderStage OpenDecoder(StringBuilder output) => _parts.Decoder.Open(output);

    internal void Push(int id, bool skipSpecialTokens, DecoderStage stage)
    {
        if (Find(id) is { } text && !(skipSpecialTokens && IsSpecial(id))) stage.Push(text);
    }

    private string? Find(int id) => (uint)id < (uint)_texts.Length ? _texts[id] : null;

    private void EncodeInto(List<int> ids, string text)
    {
        var work = new Work(ids);
        var parts = new List<TextPart>();
        _before.Split(text, parts);
        foreach (var part in parts)
        {
            if (part.Token >= 0) ids.Add(part.Token);
            else EncodeNormalized(_parts.Normalizer.Normalize(text.Substring(part.Start, part.Length)), work);
        }
    }

    private void EncodeNormalized(string text, Work work)
    {
        var parts = new List<TextPart>();
        _afterNormalizing.Split(text, parts);
        foreach (var part in parts)
        {
            if (part.Token >= 0) work.Ids.Add(part.Token);
            else EncodePieces(text.AsMemory(part.Start, part.Length), work);
        }
    }

    private void EncodePieces(ReadOnlyMemory<char> text, Work work)
    {
        var (pieces, next) = (work.Pieces, work.Next);
        pieces.Clear();
        pieces.Add(text);
        foreach (var step in _parts.PreTokenizers)
        {
            next.Clear();
            foreach (var piece in pieces) step.Apply(piece, next);
            (pieces, next) = (next, pieces);
        }
        foreach (var piece in pieces) _parts.Model.Encode(piece.Span, work.Word, work.Ids);
    }

    private static string WellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1])) i++;
            else return string.Concat(text.EnumerateRunes().Select(rune => rune.ToString()));
        }
        return text;
    }

    /// <summary>What one call reuses from stretch to stretch.</summary>
    private sealed class Work(List<int> ids)
    {
        public List<int> Ids { get; } = ids;
        public List<ReadOnlyMemory<char>> Pieces { get; } = [];
        public List<ReadOnlyMemory<char>> Next { get; } = [];
        public BpeWord Word { get; } = new();
    }
}
