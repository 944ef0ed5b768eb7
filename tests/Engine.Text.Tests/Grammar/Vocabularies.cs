using System.Text;
using NanoAspire.Engine.Text;
using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Tests.Text.Grammar;

/// <summary>Vocabularies to sample from: real tokenizers of this repository, and one with all that is awkward.</summary>
internal static class Vocabularies
{
    private static readonly Dictionary<string, (Tokenizer, GrammarVocabulary)> Loaded = [];

    public static (Tokenizer Tokenizer, GrammarVocabulary Vocabulary) Get(string name)
    {
        lock (Loaded)
        {
            if (Loaded.TryGetValue(name, out var known)) return known;
            var folder = name == "nano-demo" ? RepositoryPaths.DemoModel : Path.Combine(RepositoryPaths.Goldens, "tokenizer", name);
            var tokenizer = Tokenizer.Load(folder);
            return Loaded[name] = (tokenizer, GrammarVocabulary.Create(tokenizer));
        }
    }

    /// <summary>Every single byte, then the texts given; ids follow that order.</summary>
    public static GrammarVocabulary Of(params string[] texts) =>
        GrammarVocabulary.Create([.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }), .. texts.Select(Encoding.UTF8.GetBytes)]);
}
