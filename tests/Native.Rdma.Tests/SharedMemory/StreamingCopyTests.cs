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

    [Fact]
    public void Only_what_spreads_over_more_than_the_caches_goes_past_them()
    {
        const ulong Block = 1 << 20;
        var many = (int)(StreamingCopy.WorthwhileBytes / Block);
        var spread = Enumerable.Range(0, many).Select(static i => new PlannedRange(default, 0, 4096 + i * (nint)Block, Block)).ToArray();
        Assert.SkipUnless(System.Runtime.Intrinsics.X86.Avx.IsSupported, "no instructions for it");
        Assert.True(StreamingCopy.IsWorthwhile(spread, writes: false));
        Assert.False(StreamingCopy.IsWorthwhile(spread, writes: true)); // all to one place
        Assert.False(StreamingCopy.IsWorthwhile(spread.AsSpan(1), writes: false));
        Assert.False(StreamingCopy.IsWorthwhile([spread[0], spread[^1]], writes: false)); // far apart, but little
    }
}
