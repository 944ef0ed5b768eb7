using System.Buffers.Binary;
using System.IO.Hashing;

namespace NanoAspire.Engine.Caching;

/// <summary>The hash chain that names a full block by its tokens and everything before them.</summary>
internal static class BlockHash
{
    /// <summary><c>XXH64(parent as 8 bytes LE ‖ tokens as int32 LE)</c>, seed 0.</summary>
    /// <param name="parent">Hash of the previous block; null at the start of a sequence, or the hash of a salt's UTF-8 bytes.</param>
    /// <param name="tokens">The tokens of one full block.</param>
    public static ulong Next(ulong? parent, ReadOnlySpan<int> tokens)
    {
        const int OnStack = 2048;
        var size = sizeof(ulong) + tokens.Length * sizeof(int);
        Span<byte> bytes = size <= OnStack ? stackalloc byte[OnStack] : new byte[size];
        var used = 0;
        if (parent is { } previous)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, previous);
            used = sizeof(ulong);
        }
        foreach (var token in tokens)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes[used..], token);
            used += sizeof(int);
        }
        return XxHash64.HashToUInt64(bytes[..used]);
    }
}
