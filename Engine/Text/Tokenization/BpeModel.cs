using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>
/// Byte-pair encoding: a piece becomes its characters, then the adjacent pair of the lowest rank is merged, leftmost first, until none is left.
/// Immutable but for its cache of short pieces, which is safe to share.
/// </summary>
internal sealed class BpeModel
{
    private const int MaxCachedLength = 64;
    private const int MaxCachedPieces = 50_000;

    private readonly ConcurrentDictionary<string, int[]> _cache = new();
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cacheByText;
    private int _cached;
    private readonly Dictionary<string, int> _vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idByText;
    private readonly Dictionary<long, Merge> _merges;
    private readonly int[]? _byteTokens;

    public BpeModel(Dictionary<string, int> vocabulary, Dictionary<long, Merge> merges)
    {
        _vocabulary = vocabulary;
        _idByText = vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        _merges = merges;
        _cacheByText = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Rank (lower first) and the token that the pair becomes.</summary>
    internal readonly record struct Merge(int Rank, int Token);

    public IReadOnlyDictionary<string, int> Vocabulary => _vocabulary;

    /// <summary>A piece that is a token is that token, whatever the merges say.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>The token of a character that is not in the vocabulary; without one it is dropped.</summary>
    public int? UnknownToken { get; init; }

    /// <summary>Adjacent unknown characters become one unknown token.</summary>
    public bool FuseUnknown { get; init; }

    public string ContinuingPrefix { get; init; } = "";
    public string EndSuffix { get; init; } = "";

    /// <summary>A character that is not in the vocabulary becomes its UTF-8 bytes, when all of their tokens are.</summary>
    public bool ByteFallback
    {
        get => _byteTokens is not null;
        init => _byteTokens = value ? [.. Enumerable.Range(0, 256).Select(b => _vocabulary.GetValueOrDefault(ByteToken(b), -1))] : null;
    }

    public static string ByteToken(int value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    public static long Pair(int left, int right) => (long)left << 32 | (uint)right;

    /// <summary>Appends the tokens of <paramref name="piece"/>, which is well-formed UTF-16.</summary>
    public void Encode(ReadOnlySpan<char> piece, BpeWord word, List<int> ids)
    {
        if (piece.Length > MaxCachedLength)
        {
            EncodeUncached(piece, word, ids);
            return;
        }
        if (!_cacheByText.TryGetValue(piece, out var known))
        {
            var before = ids.Count;
            EncodeUncached(piece, word, ids);
            // A full cache starts over: cheaper than keeping an order, and frequent pieces are back at once.
            if (Interlocked.Increment(ref _cached) > MaxCachedPieces)
            {
                _cache.Clear();
                Interlocked.Exchange(ref _cached, 0);
            }
            _cacheByText.TryAdd(piece, [.. ids[before..]]);
            return;
        }
        ids.AddRange(known);
    }

    private void EncodeUncached(ReadOnlySpan<char> piece, BpeWord word, List<int> ids)
    {
        if (IgnoreMerges && _idByText.TryGetValue(piece, out var whole))
        {
            ids.Add(whole);
            return;
        }
        word.Clear();
        AddCharacters(piece, word);
        word.MergeAll(_merges);
        word.CopyTo(ids);
    }

    private void AddCharacters(ReadOnlySpan<char> piece, BpeWord word)
    {
        var unknownBefore = false;
        for (var at = 0; at < piece.Length; )
        {
            var length = char.IsHighSurrogate(piece[at]) ? 2 : 1;
            var character = piece.Slice(at, length);
            var (first, last) = (at == 0, at + length == piece.Length);
            at += length;
            if (TryCharacter(character, first, last, out var id))
            {
                word.Add(id);
                unknownBefore = false;
            }
            else if (!TryBytes(character, word) && UnknownToken is { } unknown)
            {
                if (!(unknownBefore && FuseUnknown)) word.Add(unknown);
                unknownBefore = true;
            }
        }
    }

    private bool TryCharacter(ReadOnlySpan<char> character, bool first, bool last, out int id)
    {
        var prefix = first ? "" : ContinuingPrefix;
        var suffix = last ? EndSuffix : "";
        return prefix.Length + suffix.Length == 0
            ? _idByText.TryGetValue(character, out id)
            : _vocabulary.TryGetValue(string.Concat(prefix, character, suffix), out id);
    }

    private bool TryBytes(ReadOnlySpan<char> character, BpeWord word)
    {
        if (_byteTokens is null) return false;
        Span<byte> utf8 = stackalloc byte[4];
        utf8 = utf8[..Encoding.UTF8.GetBytes(character, utf8)];
        foreach (var b in utf8)
        {
            if (_byteTokens[b] < 0) return false;
        }
        foreach (var b in utf8) word.Add(_byteTokens[b]);
        return true;
    }
}
