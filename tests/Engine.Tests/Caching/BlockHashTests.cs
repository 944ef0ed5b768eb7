using System.IO.Hashing;
using System.Text;
using NanoAspire.Engine.Caching;

namespace NanoAspire.Engine.Tests.Caching;

public sealed class BlockHashTests
{
    [Fact]
    public void Chain_of_three_blocks_of_64_has_the_golden_values() =>
        Assert.Equal(["396ebf26fbb28dc5", "59996301d40d4c47", "9df31ac49092be9f"], Chain(Enumerable.Range(0, 192), blockSize: 64));

    [Fact]
    public void Chain_of_two_blocks_of_4_has_the_golden_values() =>
        Assert.Equal(["27f0147e6ec514a6", "ec11742426488122"], Chain(Enumerable.Range(1, 8), blockSize: 4));

    [Fact]
    public void The_same_tokens_without_their_parent_hash_differently() =>
        Assert.Equal(["a7bed13863bc3975"], Chain(Enumerable.Range(5, 4), blockSize: 4));

    [Fact]
    public void A_salt_stands_in_for_the_parent_of_the_first_block()
    {
        var salt = XxHash64.HashToUInt64(Encoding.UTF8.GetBytes("adapter-7"));
        var salted = BlockHash.Next(salt, [1, 2, 3, 4]);
        byte[] bytes = [.. BitConverter.GetBytes(salt), 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0];
        Assert.Equal(XxHash64.HashToUInt64(bytes), salted);
        Assert.NotEqual(BlockHash.Next(null, [1, 2, 3, 4]), salted);
    }

    [Fact]
    public void A_block_too_large_for_the_stack_hashes_alike()
    {
        var tokens = Enumerable.Range(0, 1024).ToArray();
        var bytes = tokens.SelectMany(BitConverter.GetBytes).ToArray();
        Assert.Equal(XxHash64.HashToUInt64(bytes), BlockHash.Next(null, tokens));
    }

    [Fact]
    public void Images_follow_the_tokens_of_their_block_and_text_hashes_without_them()
    {
        byte[] images = [7, 8, 9], bytes = [1, 0, 0, 0, 2, 0, 0, 0];
        Assert.Equal(XxHash64.HashToUInt64([.. bytes, .. images]), BlockHash.Next(null, [1, 2], images));
        Assert.Equal(XxHash64.HashToUInt64(bytes), BlockHash.Next(null, [1, 2], []));
    }

    private static IEnumerable<string> Chain(IEnumerable<int> tokens, int blockSize)
    {
        ulong? hash = null;
        foreach (var block in tokens.Chunk(blockSize))
        {
            hash = BlockHash.Next(hash, block);
            yield return hash.Value.ToString("x16");
        }
    }
}
