using System.Numerics;

namespace NanoAspire.Engine.Text.Grammar.Automata;

/// <summary>The tokens that may come next: many as bits, few as a list, or both. Immutable.</summary>
internal sealed class TokenMask
{
    private readonly ulong[]? _bits;
    private readonly int[] _ids;

    /// <param name="bits">[(vocabulary + 63) / 64]; shared, not copied. Null: none.</param>
    /// <param name="ids">Further tokens, ascending.</param>
    public TokenMask(ulong[]? bits, int[] ids) => (_bits, _ids) = (bits, ids);

    public ulong[]? Bits => _bits;
    public ReadOnlySpan<int> Ids => _ids;

    /// <summary>No token but an end may follow.</summary>
    public bool IsEmpty => _bits is null && _ids.Length == 0;

    public long Bytes => 64 + 4L * _ids.Length;

    public bool Allows(int id) => (_bits is not null && (uint)id >> 6 < (uint)_bits.Length && (_bits[id >> 6] >> id & 1) != 0) || Array.BinarySearch(_ids, id) >= 0;

    /// <summary>The allowed ids, ascending; for tests and small vocabularies.</summary>
    public IEnumerable<int> Tokens()
    {
        if (_bits is null) return _ids;
        return Enumerable.Range(0, _bits.Length * 64).Where(Allows);
    }

    /// <summary>Copies the logits of allowed tokens; the others become −∞.</summary>
    public void Apply(ReadOnlySpan<float> logits, Span<float> scores)
    {
        var covered = 0;
        if (_bits is not null)
        {
            for (var word = 0; word < _bits.Length && covered < logits.Length; word++)
            {
                var length = Math.Min(64, logits.Length - covered);
                ApplyWord(_bits[word], logits.Slice(covered, length), scores.Slice(covered, length));
                covered += length;
            }
        }
        scores[covered..].Fill(float.NegativeInfinity);
        foreach (var id in _ids)
        {
            if (id < logits.Length) scores[id] = logits[id];
        }
    }

    private static void ApplyWord(ulong bits, ReadOnlySpan<float> logits, Span<float> scores)
    {
        if (bits == ulong.MaxValue)
        {
            logits.CopyTo(scores);
            return;
        }
        if (BitOperations.PopCount(bits) > 32)             // whichever is shorter: the list of those that stay, or of those that go
        {
            logits.CopyTo(scores);
            for (bits = ~bits; bits != 0; bits &= bits - 1)
            {
                var id = BitOperations.TrailingZeroCount(bits);
                if (id < scores.Length) scores[id] = float.NegativeInfinity;
            }
            return;
        }
        scores.Fill(float.NegativeInfinity);
        for (; bits != 0; bits &= bits - 1)
        {
            var id = BitOperations.TrailingZeroCount(bits);
            if (id < scores.Length) scores[id] = logits[id];
        }
    }
}
