using NanoAspire.Native.Rdma.OneSided;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Native.Rdma.Tests.OneSided;

public sealed class SourceOrderTests
{
    private static TransferRange[] Shuffled(int count, ulong length)
    {
        var (remote, local) = (Enumerable.Range(0, count).ToArray(), Enumerable.Range(0, count).ToArray());
        new Random(1).Shuffle(remote);
        new Random(2).Shuffle(local);
        return [.. remote.Select((at, i) => new TransferRange
        {
            Remote = new(1, 1), RemoteOffset = (ulong)at * length, Local = new(2, 1), LocalOffset = (ulong)local[i] * length, Length = length,
        })];
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_large_transfer_walks_its_source_from_one_end_to_the_other(bool writes)
    {
        var ranges = Shuffled(500, 64 << 10);
        using var order = new SourceOrder(ranges, writes);
        Assert.Equal(ranges.OrderBy(range => writes ? range.LocalOffset : range.RemoteOffset), order.Ranges.ToArray());
        Assert.NotEqual(ranges, order.Ranges.ToArray());
    }

    [Fact]
    public void Small_transfers_and_those_in_order_are_not_touched()
    {
        var small = Shuffled(500, 64);
        using (var order = new SourceOrder(small, writes: false)) Assert.True(order.Ranges == small);
        var again = Enumerable.Repeat(small[0] with { Length = StreamingCopy.WorthwhileBytes }, 3).ToArray();
        using (var order = new SourceOrder(again, writes: false)) Assert.True(order.Ranges == again);
    }
}
