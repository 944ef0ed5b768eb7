namespace NanoAspire.Native.Rdma.Tests;

public sealed class TransferPlanTests : IDisposable
{
    private readonly RegionRegistry _registry = new();
    private readonly TestMemory _memory = new(1 << 16);
    private readonly MemoryRegion _region;

    public TransferPlanTests() => _region = _memory.Register(_registry);

    public void Dispose() => _memory.Dispose();

    private TransferRange Range(ulong remote, ulong local, ulong length, uint slot = 9) =>
        new() { Remote = new(slot, 1), RemoteOffset = remote, Local = _region.Id, LocalOffset = local, Length = length };

    private List<TransferFrame> Frames(TransferPlan plan)
    {
        List<TransferFrame> frames = [];
        while (plan.TryTakeFrame(out var frame)) frames.Add(frame);
        return frames;
    }

    [Fact]
    public void Neighbours_on_both_sides_become_one_range()
    {
        using var plan = TransferPlan.Create(_registry, [Range(0, 100, 10), Range(10, 110, 5), Range(15, 200, 5), Range(30, 205, 5)], 1 << 20, 256);
        var frame = Assert.Single(Frames(plan));
        Assert.Equal([15ul, 5ul, 5ul], plan.Slice(frame.Start, frame.Count).ToArray().Select(static r => r.Length));
        Assert.Equal(25, plan.Bytes);
    }

    [Fact]
    public void Frames_respect_bytes_ranges_and_regions_and_cover_everything_once()
    {
        var random = new Random(3);
        List<TransferRange> ranges = [];
        ulong at = 0;
        while (at < 60_000)
        {
            var length = (ulong)random.Next(0, 9000);
            length = Math.Min(length, 60_000 - at);
            ranges.Add(Range(at * 3, at, length, slot: (uint)random.Next(2)));
            at += length;
        }
        using var plan = TransferPlan.Create(_registry, ranges, maxFrameBytes: 4096, maxFrameRanges: 3);
        var next = (ulong)_region.Address;
        foreach (var frame in Frames(plan))
        {
            Assert.InRange(frame.Count, 1, 3);
            Assert.InRange(frame.Bytes, 1ul, 4096ul);
            var sum = 0ul;
            foreach (var range in plan.Slice(frame.Start, frame.Count))
            {
                Assert.Equal(frame.Remote, range.Remote);
                Assert.Equal(next, (ulong)range.LocalAddress);
                Assert.Equal((next - (ulong)_region.Address) * 3, range.RemoteOffset - RemoteSkew(ranges, next - (ulong)_region.Address));
                next += range.Length;
                sum += range.Length;
            }
            Assert.Equal(frame.Bytes, sum);
        }
        Assert.Equal((ulong)_region.Address + 60_000, next);
    }

    /// <summary>How far into its original range a local offset lies: remote offsets advance by one there, by three between ranges.</summary>
    private static ulong RemoteSkew(List<TransferRange> ranges, ulong local)
    {
        var range = ranges.Last(r => r.Length > 0 && r.LocalOffset <= local);
        return range.RemoteOffset + (local - range.LocalOffset) - local * 3;
    }

    [Fact]
    public async Task The_destination_stays_pinned_until_the_plan_is_gone()
    {
        var plan = TransferPlan.Create(_registry, [Range(0, 0, 8), Range(64, 64, 8)], 1 << 20, 256);
        Assert.Equal(1, _region.Pins);
        var unregistering = _registry.UnregisterAsync(_region, default);
        Assert.False(unregistering.IsCompleted);
        plan.Dispose();
        await unregistering;
    }

    [Fact]
    public void A_failed_plan_leaves_no_pin()
    {
        Assert.Throws<TransferException>(() => TransferPlan.Create(_registry, [Range(0, 0, 8), Range(0, 1 << 16, 1)], 1 << 20, 256));
        Assert.Equal(0, _region.Pins);
    }

    [Fact]
    public void Too_many_ranges_are_refused()
    {
        var many = Enumerable.Repeat(Range(0, 0, 1), TransferPlan.MaxRanges + 1).ToArray();
        Assert.Equal(TransferCode.LimitExceeded, Assert.Throws<TransferException>(() => TransferPlan.Create(_registry, many, 1 << 20, 256)).Code);
    }

    [Fact]
    public void Neighbouring_frames_are_taken_together_within_the_limits()
    {
        TransferRange[] ranges = [.. Enumerable.Range(0, 12).Select(i => Range((ulong)i * 64, (ulong)(11 - i) * 64, 32, slot: i < 8 ? 1u : 2u))];
        Assert.Equal([6, 2, 4], Taken(frames: 3, maxRanges: 6, maxBytes: 1 << 20));  // the fourth frame is the last of its region
        Assert.Equal([4, 4, 4], Taken(frames: 3, maxRanges: 5, maxBytes: 1 << 20));
        Assert.Equal([4, 4, 4], Taken(frames: 3, maxRanges: 6, maxBytes: 191));
        Assert.Equal([2, 2, 2, 2, 2, 2], Taken(frames: 1, maxRanges: 6, maxBytes: 1 << 20));

        int[] Taken(int frames, int maxRanges, ulong maxBytes)
        {
            using var plan = TransferPlan.Create(_registry, ranges, maxFrameBytes: 64, maxFrameRanges: 256);
            List<int> counts = [];
            var next = 0;
            for (; plan.TryTakeFrames(frames, maxRanges, maxBytes, out var taken); next += taken.Count)
            {
                Assert.Equal(next, taken.Start);
                Assert.Equal((ulong)taken.Count * 32, taken.Bytes);
                counts.Add(taken.Count);
            }
            Assert.Equal(ranges.Length, next);
            return [.. counts];
        }
    }
}
