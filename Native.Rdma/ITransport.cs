namespace NanoAspire.Native.Rdma;

/// <summary>Moves bytes between registered regions of two processes. Thread-safe; every operation completes exactly once.</summary>
public interface ITransport : IAsyncDisposable
{
    /// <summary><c>tcp</c>, <c>shm</c>, <c>ucx</c>, <c>auto</c> or <c>loopback</c>: as it appears in addresses, logs and metrics.</summary>
    string Name { get; }

    /// <summary>What this transport can use here, and why; for people.</summary>
    string Reason { get; }

    /// <summary>The regions this transport serves and uses, and the inbox of what peers send.</summary>
    RegionRegistry Regions { get; }

    /// <summary>How the regions of peers are reached that were used lately.</summary>
    IReadOnlyList<TransferPath> Paths => [];

    /// <summary>What moves the bytes of a region, as far as that is known: differs from <see cref="Name"/> where a transport falls back to another.</summary>
    string PathTo(TransferPeer peer, RegionId region) => Name;

    /// <summary>Starts serving the regions, if not yet done, and says how peers reach them.</summary>
    TransferPeer Listen();

    /// <summary>
    /// Reads all ranges, in no particular order. When it has completed, in whatever way, nothing more is written to the
    /// destination. After a failure the destination ranges are undefined.
    /// </summary>
    /// <param name="peer">The source.</param>
    /// <param name="ranges">What to read; neighbours on both sides are merged, empty ranges dropped, an empty list completes at once.</param>
    /// <param name="token">Shown to the <see cref="IReadGuard"/> of the source region; ignored where there is none.</param>
    /// <param name="cancellationToken">Stops the read; the connections it used are closed.</param>
    /// <returns>Bytes read.</returns>
    /// <exception cref="TransferException">The source refused, is gone, or did not answer in time; or a local range is outside its region.</exception>
    Task<long> ReadAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken);

    /// <summary>
    /// Writes all ranges, in no particular order, to regions whose owner granted it. Completes when the owner sees the data;
    /// after a failure the remote ranges are undefined, and unless the peer is gone nothing more is written to them.
    /// </summary>
    /// <param name="peer">The owner of the remote regions.</param>
    /// <param name="ranges">As for <see cref="ReadAsync"/>; the local sides are the source.</param>
    /// <param name="token">Shown to the <see cref="IWriteGuard"/> of the remote region.</param>
    /// <param name="notification">Delivered to the owner once the data is there; waits for room in its inbox.</param>
    /// <param name="cancellationToken">Stops the write; the connections it used are closed.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="TransferException">As for <see cref="ReadAsync"/>; <see cref="TransferCode.Busy"/> when the inbox stayed full.</exception>
    Task<long> WriteAsync(
        TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, WriteNotification? notification, CancellationToken cancellationToken);

    /// <summary>Delivers a message to the peer's <see cref="TransferInbox"/>, in the order of the calls; completes when it lies there.</summary>
    /// <param name="peer">Who gets it.</param>
    /// <param name="tag">Names what kind of message it is; receivers wait for one tag.</param>
    /// <param name="message">At most <see cref="TransferInbox.MaxMessageBytes"/>; not to be changed before the task has ended.</param>
    /// <param name="cancellationToken">Stops it; whether it was delivered is unknown then.</param>
    /// <exception cref="TransferException">As for <see cref="WriteAsync"/>.</exception>
    Task SendAsync(TransferPeer peer, ulong tag, ReadOnlyMemory<byte> message, CancellationToken cancellationToken);

    /// <summary>Completes when every write and message to the peer that was submitted before has ended, well or not: their own tasks tell.</summary>
    Task FlushAsync(TransferPeer peer, CancellationToken cancellationToken);

    /// <summary>Drops what is kept for a peer that is gone: idle connections, mappings, remote keys. What is in use goes with its last user.</summary>
    void Forget(TransferPeer peer)
    {
    }
}
