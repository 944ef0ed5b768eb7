using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Native.Rdma.Tests.SharedMemory;

public sealed class StreamingCopyTests
{
    private const int Size = 1 << 16;

    [Theory]
    [InlineData(0), InlineData(1), InlineData(4095), InlineData(4096), InlineData(4097), InlineData(4096 + 31), InlineData(4096 + 127), InlineData(4096 + 128), InlineData(40_000)]
    public unsafe void Every_length_and_alignment_is_copied_exactly_and_nothing_around_it(int length)
    {
        using var from = TestMemory.WithPattern(Size);
        using var to = new TestMemory(Size);
        foreach (var (source, target) in new[] { (0, 0), (0, 1), (1, 0), (3, 31), (31, 33), (64, 63), (17, 32) })
        {
            to.Span.Fill(0xEE);
            StreamingCopy.Copy((byte*)from.Address + source, (byte*)to.Address + 64 + target, (ulong)length);
            StreamingCopy.Fence();
            Assert.Equal(from.Span.Slice(source, length), to.Span.Slice(64 + target, length));
            Assert.False(to.Span[..(64 + target)].ContainsAnyExcept((byte)0xEE));
            Assert.False(to.Span[(64 + target + length)..].ContainsAnyExcept((byte)0xEE));
        }
    }
}
