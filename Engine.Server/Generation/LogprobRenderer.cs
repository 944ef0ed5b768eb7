using System.Text;
using NanoAspire.Engine.Text;
using NanoAspire.Protocol.OpenAI;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>Log-probabilities in the two shapes of OpenAI's API. Without a tokenizer a token is named <c>token_id:N</c>.</summary>
internal sealed class LogprobRenderer(Tokenizer? tokenizer)
{
    public ChatLogprobs Chat(IEnumerable<SampledToken> tokens) => new()
    {
        Content = [.. tokens.Select(token => Entry(token.Id, token.Logprob ?? 0) with
        {
            TopLogprobs = [.. (token.TopLogprobs ?? []).Select(top => Entry(top.Id, top.Logprob))],
        })],
    };

    /// <param name="tokens">Generated tokens.</param>
    /// <param name="offsets">Characters before each token's text.</param>
    public TextLogprobs Text(IReadOnlyList<SampledToken> tokens, IReadOnlyList<int> offsets) => new()
    {
        Tokens = [.. tokens.Select(token => Name(token.Id))],
        TokenLogprobs = [.. tokens.Select(token => Finite(token.Logprob ?? 0))],
        TopLogprobs = [.. tokens.Select(Top)],
        TextOffset = offsets,
    };

    private Dictionary<string, float> Top(SampledToken token)
    {
        var top = new Dictionary<string, float>(StringComparer.Ordinal);
        // Broken bytes of different tokens may read alike; the likelier one keeps the name.
        foreach (var (id, logprob) in token.TopLogprobs ?? []) top.TryAdd(Name(id), Finite(logprob));
        return top;
    }

    /// <summary>JSON has no −∞; OpenAI's API writes −9999 for what cannot happen.</summary>
    private static float Finite(float logprob) => Math.Max(logprob, -9999);

    private ChatTokenLogprob Entry(int id, float logprob)
    {
        var name = Name(id);
        var bytes = tokenizer is null ? Encoding.UTF8.GetBytes(name) : tokenizer.TokenBytes(id).ToArray();
        return new() { Token = name, Logprob = Finite(logprob), Bytes = [.. bytes.Select(value => (int)value)] };
    }

    private string Name(int id) => tokenizer is null ? $"token_id:{id}" : Encoding.UTF8.GetString(tokenizer.TokenBytes(id).Span);
}
