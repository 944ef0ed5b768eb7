namespace NanoAspire.Native.Rdma.Tests;

public abstract partial class TransportContract
{
    private Task RevokeAsync(ulong token) =>
        Grants.RevokeAsync(token, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    [Theory]
    [InlineData(ulong.MaxValue - 7, 8, 0)]
    [InlineData(ulong.MaxValue, 1, 0)]
    [InlineData(1ul << 63, Size, 0)]
    [InlineData(Size, 1, 0)]
    [InlineData(0, 1, ulong.MaxValue)]
    [InlineData(0, ulong.MaxValue, 1)]
    [InlineData(0, ulong.MaxValue, ulong.MaxValue)]
    public async Task One_range_that_reaches_outside_or_wraps_refuses_the_batch_in_both_directions(ulong remote, ulong length, ulong local)
    {
        var before = From.Span.ToArray();
        var token = Grants.Allow(0, Size);
        Assert.Equal(TransferCode.OutOfRange, await FailAsync(Range(0, 0, 8), Range(remote, local, length), Range(8, 8, 8)));
        Assert.Equal(TransferCode.OutOfRange, await FailToWriteAsync(token, Range(remote, local, length)));
        Assert.Equal(before, From.Span);
        Assert.Equal(0, await Guard.PinsAsync(0));
        await RevokeAsync(token);
        Assert.Equal((0, 0), (Local.Pins, Remote.Pins));
        Assert.Equal(8, await ReadAsync(Range(Size - 8, 0, 8)));
    }

    [Fact]
    public async Task Ranges_of_no_bytes_are_dropped_wherever_they_point()
    {
        Assert.Equal(16, await ReadAsync(
            Range(Size, Size, 0), Range(32, 0, 8), Range(ulong.MaxValue, ulong.MaxValue, 0), Range(64, 8, 8), Range(0, 0, 0) with { Local = new(9999, 9), Remote = new(9999, 9) }));
        Assert.Equal(From.Span[32..40], To.Span[..8]);
        Assert.Equal(From.Span[64..72], To.Span[8..16]);
        Assert.Equal(0, await WriteAsync(token: 7, null, Range(ulong.MaxValue, ulong.MaxValue, 0))); // not even a grant is needed
    }

    [Fact]
    public async Task More_ranges_than_a_transfer_takes_are_refused_and_many_are_taken()
    {
        var tooMany = new TransferRange[TransferPlan.MaxRanges + 1];
        Array.Fill(tooMany, Range(0, 0, 1));
        Assert.Equal(TransferCode.LimitExceeded, await FailAsync(tooMany));
        Assert.Equal(TransferCode.LimitExceeded, await FailToWriteAsync(token: 7, tooMany));
        Assert.Equal(0, Guard.Asked);

        // Single bytes, none next to another on both sides: several frames and pins of them.
        var many = Enumerable.Range(0, 10_000).Select(i => Range((ulong)(Size - 1 - i), (ulong)i, 1)).ToArray();
        Assert.Equal(many.Length, await ReadAsync(many));
        for (var i = 0; i < many.Length; i++) Assert.Equal(From.Span[Size - 1 - i], To.Span[i]);
        Assert.Equal(0, Local.Pins);
    }
}
