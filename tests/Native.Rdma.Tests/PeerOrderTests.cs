using NanoAspire.Engine.Transfer.Tests;

namespace NanoAspire.Native.Rdma.Tests;

/// <summary>Messages to one peer go one after the other, and none waits for ever.</summary>
public sealed class PeerOrderTests
{
    private static readonly TransferPeer Peer = new("somewhere:1", 1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private readonly ManualTime _time = new();
    private readonly PeerOrder _order;

    public PeerOrderTests() => _order = new(Patience, _time);

    private static async Task<TransferCode> CodeOf(Task task) => (await Assert.ThrowsAsync<TransferException>(() => task.WaitAsync(Soon))).Code;

    private async Task ArmedAsync(int timers)
    {
        for (var waited = 0; _time.Armed != timers; waited++)
        {
            Assert.True(waited < 6000, $"{_time.Armed} timers instead of {timers}");
            await Task.Delay(5);
        }
    }

    [Fact]
    public async Task A_queued_message_can_be_cancelled_and_its_successor_still_waits_for_the_one_before()
    {
        TaskCompletionSource<long> first = new();
        using var cancel = new CancellationTokenSource();
        var sending = _order.InOrder(Peer, () => first.Task, default);
        var ran = 0;
        var given = _order.InOrder(Peer, () => { ran++; return Task.FromResult(2L); }, cancel.Token);
        var after = _order.InOrder(Peer, () => Task.FromResult(first.Task.IsCompleted ? 3L : -1), default);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given.WaitAsync(Soon));
        Assert.False(after.IsCompleted);
        first.SetResult(1);
        Assert.Equal((1, 3, 0), (await sending, await after.WaitAsync(Soon), ran));
        await _order.FlushAsync(Peer, default).WaitAsync(Soon);
    }

    [Fact]
    public async Task A_queued_message_gives_up_when_nothing_gets_through_for_too_long()
    {
        TaskCompletionSource<long> first = new(), second = new();
        var sending = _order.InOrder(Peer, () => first.Task, default);
        var next = _order.InOrder(Peer, () => second.Task, default);
        var last = _order.InOrder(Peer, () => Task.FromResult(3L), default);
        await ArmedAsync(2);
        _time.Advance(Patience / 2);
        first.SetResult(1);
        await sending;
        await ArmedAsync(1);
        _time.Advance(Patience * 0.75);                                      // longer than it may wait, but one got through meanwhile
        await ArmedAsync(1);
        Assert.False(last.IsCompleted);
        _time.Advance(Patience);
        Assert.Equal(TransferCode.Timeout, await CodeOf(last));
        second.SetResult(2);
        Assert.Equal(2, await next.WaitAsync(Soon));
        Assert.Equal(4, await _order.InOrder(Peer, () => Task.FromResult(4L), default).WaitAsync(Soon));
    }

    [Fact]
    public async Task No_more_than_so_many_messages_wait_for_one_peer()
    {
        TaskCompletionSource<long> first = new();
        var sending = _order.InOrder(Peer, () => first.Task, default);
        using var cancel = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, PeerOrder.MaxWaiting).Select(_ => _order.InOrder(Peer, () => Task.FromResult(1L), cancel.Token)).ToArray();
        Assert.Equal(TransferCode.Busy, await CodeOf(_order.InOrder(Peer, () => Task.FromResult(1L), default)));
        Assert.Equal(7, await _order.InOrder(Peer with { Incarnation = 2 }, () => Task.FromResult(7L), default).WaitAsync(Soon));
        await cancel.CancelAsync();
        foreach (var message in waiting) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => message.WaitAsync(Soon));
        var late = _order.InOrder(Peer, () => Task.FromResult(9L), default);
        first.SetResult(1);
        Assert.Equal((1, 9), (await sending, await late.WaitAsync(Soon)));
    }

    [Fact]
    public async Task Turns_and_cancellations_that_race_lose_no_turn()
    {
        for (var round = 0; round < 2000; round++)
        {
            using var cancel = new CancellationTokenSource();
            TaskCompletionSource<long> first = new(TaskCreationOptions.RunContinuationsAsynchronously);
            var sending = _order.InOrder(Peer, () => first.Task, default);
            var racing = _order.InOrder(Peer, () => Task.FromResult(2L), cancel.Token);
            var last = _order.InOrder(Peer, () => Task.FromResult(3L), default);
            var cancelling = Task.Run(cancel.Cancel);
            first.SetResult(1);
            await Task.WhenAll(sending, last, cancelling).WaitAsync(Soon);
            await Task.WhenAny(racing).WaitAsync(Soon);
        }
        await _order.FlushAsync(Peer, default).WaitAsync(Soon);
    }
}
