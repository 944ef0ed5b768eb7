namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Messages, notifications and the flush.</summary>
public sealed partial class PeerAgent
{
    /// <summary>Delivers a message to the inbox of a peer's transport, in the order of the calls.</summary>
    /// <exception cref="TransferException">As for <see cref="ReadAsync"/>.</exception>
    public Task SendAsync(string peer, ulong tag, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        RunAsync(() => _counters.MeasureMessageAsync("send", async () =>
        {
            var session = Session(peer);
            return await GuardAsync(session, async stop =>
            {
                await _transport.SendAsync(session.Record.Peer, tag, message, stop).ConfigureAwait(false);
                return (long)message.Length;
            }, cancellationToken).ConfigureAwait(false);
        }, static bytes => bytes));

    /// <summary>The next message with this tag. The inbox is the transport's: agents that share one share it.</summary>
    /// <param name="tag">What to wait for.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ObjectDisposedException">The agent has ended.</exception>
    public Task<ReadOnlyMemory<byte>> ReceiveAsync(ulong tag, CancellationToken cancellationToken) =>
        RunAsync(() => _counters.MeasureMessageAsync("recv",
            () => UntilEndAsync(stop => _transport.Regions.Inbox.ReceiveAsync(tag, stop), cancellationToken), static message => message.Length));

    /// <summary>The next notification of a write, in the order of arrival; as to the inbox, see <see cref="ReceiveAsync"/>.</summary>
    /// <exception cref="ObjectDisposedException">The agent has ended.</exception>
    public Task<PeerNotification> ReceiveNotificationAsync(CancellationToken cancellationToken) =>
        RunAsync(() => _counters.MeasureMessageAsync("imm_recv", async () =>
        {
            var notice = await UntilEndAsync(stop => _transport.Regions.Inbox.ReceiveNotificationAsync(stop).AsTask(), cancellationToken).ConfigureAwait(false);
            lock (_gate) return new PeerNotification(_published.FirstOrDefault(p => p.Value.Id == notice.Region).Key, notice.Token, notice.Value);
        }, static _ => 0));

    /// <summary>Completes when every write and message to the peer that was submitted before has ended, well or not: their own tasks tell.</summary>
    /// <exception cref="TransferException"><see cref="TransferCode.PeerLost"/>: not connected, or gone meanwhile.</exception>
    public Task FlushAsync(string peer, CancellationToken cancellationToken) =>
        RunAsync(async () =>
        {
            var session = Session(peer);
            return await GuardAsync(session, async stop =>
            {
                await _transport.FlushAsync(session.Record.Peer, stop).ConfigureAwait(false);
                return 0;
            }, cancellationToken).ConfigureAwait(false);
        });

    private async Task<T> UntilEndAsync<T>(Func<CancellationToken, Task<T>> wait, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, _stop.Token);
        try
        {
            return await wait(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested && _stop.IsCancellationRequested)
        {
            throw new ObjectDisposedException(GetType().FullName);
        }
        catch (OperationCanceledException e) when (ct.IsCancellationRequested && e.CancellationToken != ct)
        {
            throw new OperationCanceledException(e.Message, e, ct);
        }
    }
}
