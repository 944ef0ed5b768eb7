using System.Text;
using System.Text.Json;
using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Tests.Text.Grammar;

/// <summary>Writes random outputs under a grammar, as a model without any sense would.</summary>
internal static class GrammarWriter
{
    public static CompiledGrammar Schema(string schema, GrammarVocabulary vocabulary) =>
        GrammarCompiler.Compile(new OutputConstraint.JsonSchema(JsonDocument.Parse(schema).RootElement), vocabulary);

    /// <param name="grammar">What to follow.</param>
    /// <param name="random">The draw.</param>
    /// <param name="patience">Tokens after which those that end things are preferred, so that most outputs finish.</param>
    /// <param name="most">Tokens at most.</param>
    /// <returns>The bytes, and whether the output was finished.</returns>
    public static (byte[] Bytes, List<int> Tokens, bool Finished) Write(CompiledGrammar grammar, Random random, int patience = 60, int most = 600)
    {
        var matcher = new GrammarMatcher(grammar);
        var (bytes, tokens) = (new List<byte>(), new List<int>());
        while (tokens.Count < most)
        {
            var mask = matcher.Mask;
            if (matcher.IsComplete && (mask.IsEmpty || tokens.Count > patience || random.Next(4) == 0)) return ([.. bytes], tokens, true);
            var allowed = mask.Tokens().ToArray();
            Assert.True(allowed.Length > 0, $"nothing may follow {Encoding.UTF8.GetString([.. bytes])}");
            var token = tokens.Count > patience ? Impatient(allowed, grammar, random) : allowed[random.Next(allowed.Length)];
            Assert.True(matcher.TryAccept(token), $"token {token} was allowed, but not accepted, after {Encoding.UTF8.GetString([.. bytes])}");
            tokens.Add(token);
            bytes.AddRange(grammar.Vocabulary.Text(token));
        }
        return ([.. bytes], tokens, false);
    }

    private static int Impatient(int[] allowed, CompiledGrammar grammar, Random random)
    {
        var closing = allowed.Where(token => grammar.Vocabulary.Text(token).IndexOfAny("\"}]"u8) >= 0 && grammar.Vocabulary.Text(token).IndexOfAny("{[,"u8) < 0).ToArray();
        return closing.Length > 0 ? closing[random.Next(closing.Length)] : allowed[random.Next(allowed.Length)];
    }
}
