using System.Buffers.Binary;
using System.IO.Hashing;

namespace NanoAspire.Engine.Caching;

/// <summary>The hash chain that names a full block by its tokens, the images among them and everything before.</summary>
internal static class BlockHash
{
    /// <summary><c>XXH64(parent as 8 bytes LE ‖ tokens as int32 LE ‖ images)</c>, seed 0.</summary>
    /// <param name="parent">Hash of the previous block; null at the start of a sequence, or the hash of a salt's UTF-8 bytes.</param>
    /// <param name="tokens">The tokens of one full block.</param>
    /// <param name="images">What tells the block's images from others; empty for text.</param>
    public static ulong Next(ulong? parent, ReadOnlySpan<int> tokens, ReadOnlySpan<byte> images = default)
    {
        const int OnStack = 2048;
        var size = sizeof(ulong) + tokens.Length * sizeof(int) + images.Length;
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
        images.CopyTo(bytes[used..]);
        return XxHash64.HashToUInt64(bytes[..(used + images.Length)]);
    }
}
