using System.IO.Hashing;
using System.Text;

namespace NanoAspire.Tests.Hashing;

/// <summary>Against values published with the xxHash specification and its reference program.</summary>
public sealed class XxHash64Tests
{
    [Theory]
    [InlineData("", 0xef46db3751d8e999)]
    [InlineData("a", 0xd24ec4f1a98c6e5b)]
    [InlineData("abc", 0x44bc2cf5ad770999)]
    [InlineData("Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x0b242d361fda71bc)]
    public void Text_hashes_to_its_published_value(string text, ulong expected) =>
        Assert.Equal(expected, XxHash64.HashToUInt64(Encoding.ASCII.GetBytes(text)));

    /// <summary>The specification's own self test: a pseudo-random buffer at lengths around every branch, with and without seed.</summary>
    [Theory]
    [InlineData(1, 0, 0xE934A84ADB052768)]
    [InlineData(1, 2654435761L, 0x5014607643A9B4C3)]
    [InlineData(4, 0, 0x9136A0DCA57457EE)]
    [InlineData(14, 0, 0x8282DCC4994E35C8)]
    [InlineData(14, 2654435761L, 0xC3BD6BF63DEB6DF0)]
    [InlineData(222, 0, 0xB641AE8CB691C174)]
    [InlineData(222, 2654435761L, 0x20CB8AB7AE10C14A)]
    public void The_reference_programs_buffer_hashes_to_its_published_value(int length, long seed, ulong expected) =>
        Assert.Equal(expected, XxHash64.HashToUInt64(SelfTestBuffer(length), seed));

    [Fact]
    public void Bytes_come_in_canonical_order() =>
        Assert.Equal("44bc2cf5ad770999", Convert.ToHexStringLower(XxHash64.Hash("abc"u8)));

    private static byte[] SelfTestBuffer(int length)
    {
        var buffer = new byte[length];
        var state = 2654435761UL;
        for (var i = 0; i < length; i++)
        {
            buffer[i] = (byte)(state >> 56);
            state *= 11400714785074694797UL;
        }
        return buffer;
    }
}
