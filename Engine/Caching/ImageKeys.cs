using System.Buffers.Binary;
using System.Security.Cryptography;

namespace NanoAspire.Engine.Caching;

/// <summary>
/// What tells the images of a prompt's blocks from others whose placeholders are the same tokens: for each block SHA-256 over the images that it
/// touches, of each where it begins, seen from the block, and its digest. Positions follow from these and from the blocks before.
/// </summary>
/// <param name="images">In the order of the prompt.</param>
/// <param name="blockSize">Tokens a block.</param>
internal sealed class ImageKeys(IReadOnlyList<PromptImage> images, int blockSize)
{
    private readonly Dictionary<int, byte[]> _keys = [];

    /// <summary>Empty for a block without images.</summary>
    public ReadOnlySpan<byte> Of(int block)
    {
        if (images.Count == 0) return default;
        if (!_keys.TryGetValue(block, out var key)) _keys.Add(block, key = Compute(block));
        return key;
    }

    private byte[] Compute(int block)
    {
        var (start, end) = ((long)block * blockSize, (block + 1L) * blockSize);
        var touched = images.Where(image => image.FirstToken < end && (long)image.FirstToken + image.Tokens > start).ToList();
        if (touched.Count == 0) return [];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> offset = stackalloc byte[sizeof(long)];
        foreach (var image in touched)
        {
            BinaryPrimitives.WriteInt64LittleEndian(offset, image.FirstToken - start);
            hash.AppendData(offset);
            hash.AppendData(image.Digest);
        }
        return hash.GetHashAndReset();
    }
}
