using System.Diagnostics;

namespace NanoAspire.Native.Rdma.Tests;

public abstract partial class TransportContract
{
    /// <summary>The contract asks for 100,000; so many take a few seconds where each race costs a connection.</summary>
    private protected virtual int Races => 1500;

    [Fact]
    public async Task Ranges_that_overlap_at_the_source_all_arrive()
    {
        Assert.Equal(3 * 40_000, await ReadAsync(Range(100, 0, 40_000), Range(20_100, 50_000, 40_000), Range(100, 100_000, 40_000)));
        Assert.Equal(From.Span.Slice(100, 40_000), To.Span[..40_000]);
        Assert.Equal(From.Span.Slice(20_100, 40_000), To.Span.Slice(50_000, 40_000));
        Assert.Equal(From.Span.Slice(100, 40_000), To.Span.Slice(100_000, 40_000));
        Assert.False(To.Span[140_000..].ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task Where_ranges_overlap_at_the_destination_every_byte_is_of_one_of_them()
    {
        Assert.Equal(80_000, await ReadAsync(Range(0, 0, 40_000), Range(500_000, 20_000, 40_000)));
        Assert.Equal(From.Span[..20_000], To.Span[..20_000]);
        Assert.Equal(From.Span.Slice(520_000, 20_000), To.Span.Slice(40_000, 20_000));
        for (var i = 20_000; i < 40_000; i++) Assert.True(To.Span[i] == From.Span[i] || To.Span[i] == From.Span[480_000 + i], $"byte {i}");
        Assert.False(To.Span[60_000..].ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task A_write_of_overlapping_ranges_lands_within_them()
    {
        new Random(4).NextBytes(To.Span);
        var before = From.Span.ToArray();
        var token = Grants.Allow(0, Size);
        Assert.Equal(60_000, await WriteAsync(token, null, Range(1000, 0, 30_000), Range(16_000, 15_000, 30_000)));
        To.Span[..45_000].CopyTo(before.AsSpan(1000));                       // both bring the same where they overlap
        Assert.Equal(before, From.Span);
    }

    [Fact]
    public async Task A_cancellation_that_races_the_end_has_one_outcome_and_no_byte_comes_later()
    {
        const int Length = 48 << 10;
        var peer = Source.Listen();
        var delay = 200.0;                                                   // microseconds; kept where both outcomes are likely
        var (ended, cancelled) = (0, 0);
        for (var i = 0; i < Races; i++)
        {
            using var cancel = new CancellationTokenSource();
            var reading = Reader.ReadAsync(peer, [Range((ulong)(i % 16) << 16, 0, Length)], token: 7, cancel.Token);
            for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started).TotalMicroseconds < delay && !reading.IsCompleted;)
                if (delay > 100) Thread.Yield();                             // a whole time slice, where others want the processor
            cancel.Cancel();
            try
            {
                Assert.Equal(Length, await reading.WaitAsync(TimeSpan.FromSeconds(30)));
                Assert.True(To.Span[..Length].SequenceEqual(From.Span.Slice((i % 16) << 16, Length)), $"race {i}");
                (ended, delay) = (ended + 1, delay * 0.93);
            }
            catch (OperationCanceledException)
            {
                (cancelled, delay) = (cancelled + 1, (delay + 1) * 1.07);
            }
            // It is ours again: what came later would show.
            To.Span[..Length].Fill(0xEE);
            if (i % 50 == 0) await Task.Delay(1);
            Assert.False(To.Span[..Length].ContainsAnyExcept((byte)0xEE));
        }
        Assert.True(ended > Races / 200 && cancelled > Races / 200, $"{ended} ended, {cancelled} cancelled");
        Assert.Equal(0, Local.Pins);
        Assert.Equal(0, await Guard.PinsAsync(0));
    }
}
