using System.Security.Cryptography;
using System.Text;

namespace NanoAspire.Engine.Text.Grammar;

/// <summary>
/// Compiled grammars of one vocabulary, least recently used first to go: requests with the same schema share one, and what it has
/// learnt about its masks. Thread-safe.
/// </summary>
public sealed class GrammarCache(GrammarVocabulary vocabulary)
{
    public const int MaxGrammars = 128;
    /// <summary>For all grammars' tables together; one grammar's stay below some 16 MiB.</summary>
    public const long MaxBytes = 512L << 20;

    private readonly Dictionary<string, LinkedListNode<(string Key, CompiledGrammar Grammar)>> _byKey = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Key, CompiledGrammar Grammar)> _byUse = [];

    /// <summary>The grammar of a constraint, compiled now unless it is known.</summary>
    /// <exception cref="GrammarException">It cannot be compiled.</exception>
    public CompiledGrammar Get(OutputConstraint constraint)
    {
        ArgumentNullException.ThrowIfNull(constraint);
        var key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(constraint.Key)));
        lock (_byKey)
        {
            if (_byKey.TryGetValue(key, out var known))
            {
                _byUse.Remove(known);
                _byUse.AddLast(known);
                return known.Value.Grammar;
            }
        }
        var grammar = GrammarCompiler.Compile(constraint, vocabulary);   // outside the lock: it may take long; two may do it at once
        lock (_byKey)
        {
            if (_byKey.TryGetValue(key, out var other)) return other.Value.Grammar;
            _byKey[key] = _byUse.AddLast((key, grammar));
            while (_byUse.Count > 1 && (_byUse.Count > MaxGrammars || _byUse.Sum(entry => entry.Grammar.Bytes) > MaxBytes))
            {
                _byKey.Remove(_byUse.First!.Value.Key);
                _byUse.RemoveFirst();
            }
        }
        return grammar;
    }
}
