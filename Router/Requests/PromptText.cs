using System.Buffers;
using System.IO.Hashing;
using System.Text.Json;

namespace NanoAspire.Router.Requests;

/// <summary>
/// A prompt as a chain of hashes, one a block of <see cref="BlockBytes"/>: two prompts share a prefix as far as their chains agree.
/// Only what the template puts in front of the model counts (tools, roles, texts), as it stands in the JSON, so no tokenizer is needed.
/// </summary>
internal sealed class PromptText
{
    public const int BlockBytes = 64;
    /// <summary>Further text does not change where a request goes: 256 KB is longer than any cache is deep.</summary>
    private const int MaxBlocks = 4096;

    private PromptText(int length, ulong[] chain)
    {
        Length = length;
        Chain = chain;
    }

    /// <summary>Bytes of text.</summary>
    public int Length { get; }
    /// <summary>Chain[i] stands for everything up to the end of block i; the last, shorter one of a prompt is included.</summary>
    public IReadOnlyList<ulong> Chain { get; }

    public static PromptText Of(InferenceEndpoint endpoint, JsonObjectBytes body)
    {
        var text = new ArrayBufferWriter<byte>(1024);
        if (endpoint is InferenceEndpoint.ChatCompletions)
        {
            if (body.Has("tools")) text.Write(body.Value("tools").Span);
            var reader = body.Reader("messages");
            while (text.WrittenCount < MaxBlocks * BlockBytes && reader.Read())
            {
                // Names of members are the same in every request; their texts are what differs.
                if (reader.TokenType is JsonTokenType.String) text.Write(reader.ValueSpan);
                else if (reader.TokenType is JsonTokenType.Number or JsonTokenType.EndObject) text.Write("\0"u8);
            }
        }
        else
        {
            text.Write(body.Value("prompt").Span.Trim("[ \""u8));
        }
        return new PromptText(text.WrittenCount, Hash(text.WrittenSpan));
    }

    private static ulong[] Hash(ReadOnlySpan<byte> text)
    {
        var blocks = Math.Min((text.Length + BlockBytes - 1) / BlockBytes, MaxBlocks);
        var chain = new ulong[blocks];
        var before = 0UL;
        for (var i = 0; i < blocks; i++)
        {
            var block = text[(i * BlockBytes)..Math.Min((i + 1) * BlockBytes, text.Length)];
            chain[i] = before = XxHash64.HashToUInt64(block, seed: (long)before);
        }
        return chain;
    }
}
