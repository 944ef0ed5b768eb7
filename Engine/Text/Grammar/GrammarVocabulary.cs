namespace NanoAspire.Engine.Text.Grammar;

/// <summary>
/// A tokenizer's vocabulary as grammars see it: the bytes of each ordinary token, and the added tokens by name. An added token
/// (special or not) never stands for its bytes: it is allowed only where a grammar names it. Built once a model (some 0.3 s for
/// 150,000 tokens, some 10 bytes a node of the tree); immutable.
/// </summary>
public sealed class GrammarVocabulary
{
    /// <summary>Trees over all tokens, the short ones, the long ones.</summary>
    internal const int Whole = 0, Short = 1, Long = 2, Parts = 3;
    private const int ShortBytes = 24;

    private readonly byte[]?[] _texts;

    private GrammarVocabulary(byte[]?[] texts, Dictionary<string, int> markers, IReadOnlyList<int> plainMarkers)
    {
        (_texts, Markers, PlainMarkers) = (texts, markers, plainMarkers);
        Trees =
        [
            TokenTree.Build(texts),
            TokenTree.Build(Array.ConvertAll(texts, text => text?.Length <= ShortBytes ? text : null)),
            TokenTree.Build(Array.ConvertAll(texts, text => text?.Length > ShortBytes ? text : null)),
        ];
        MaxOpenings = texts.Max(text => text?.Count(value => value is (byte)'[' or (byte)'{') ?? 0);
    }

    /// <summary>One more than the highest token id.</summary>
    public int Size => _texts.Length;
    /// <summary>
    /// The whole vocabulary and its two parts. What a counter leaves room for matters to a mask only up to the longest token, and there are
    /// few long ones: counted rules look at the parts apart, so that most of their masks are the same.
    /// </summary>
    internal TokenTree[] Trees { get; }
    /// <summary>Added tokens by their text.</summary>
    internal IReadOnlyDictionary<string, int> Markers { get; }
    /// <summary>Added tokens that are text to a reader: decoding does not skip them.</summary>
    internal IReadOnlyList<int> PlainMarkers { get; }
    /// <summary>Most brackets that one token can open.</summary>
    internal int MaxOpenings { get; }

    public static GrammarVocabulary Create(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        var texts = new byte[]?[tokenizer.VocabSize];
        for (var id = 0; id < texts.Length; id++) texts[id] = tokenizer.TokenBytes(id).ToArray();
        var markers = new Dictionary<string, int>(StringComparer.Ordinal);
        var plain = new List<int>();
        foreach (var token in tokenizer.AddedTokens)
        {
            texts[token.Id] = null;
            if (token.Content.Length == 0) continue;
            markers[token.Content] = token.Id;
            if (!token.Special) plain.Add(token.Id);
        }
        return new(texts, markers, plain);
    }

    /// <summary>From bare byte strings, null for ids that are not text; markers are ids by name.</summary>
    internal static GrammarVocabulary Create(byte[]?[] texts, Dictionary<string, int>? markers = null) => new(texts, markers ?? [], [.. (markers ?? []).Values]);

    /// <summary>The bytes of an ordinary token; empty for added tokens and unused ids.</summary>
    internal ReadOnlySpan<byte> Text(int id) => (uint)id < (uint)_texts.Length ? _texts[id] : default;
}
