namespace NanoAspire.Native.Rdma;

/// <summary>Moves bytes between registered regions of two processes.</summary>
public interface ITransport : IAsyncDisposable
{
    /// <summary><c>tcp</c>, <c>loopback</c>, …: as it appears in addresses, logs and metrics.</summary>
    string Name { get; }

    /// <summary>The regions this transport serves and writes to.</summary>
    RegionRegistry Regions { get; }

    /// <summary>What moves the bytes of a region, as far as that is known: differs from <see cref="Name"/> where a transport falls back to another.</summary>
    string PathTo(TransferPeer peer, RegionId region) => Name;

    /// <summary>Starts serving the regions, if not yet done, and says how peers reach them.</summary>
    TransferPeer Listen();

    /// <summary>
    /// Reads all ranges, in no particular order. Completes once; when it has completed, in whatever way, nothing more is
    /// written to the destination. After a failure the destination ranges are undefined.
    /// </summary>
    /// <param name="peer">The source.</param>
    /// <param name="ranges">What to read; neighbours on both sides are merged, empty ranges dropped, an empty list completes at once.</param>
    /// <param name="token">Shown to the <see cref="IReadGuard"/> of the source region; ignored where there is none.</param>
    /// <param name="cancellationToken">Stops the read; the connections it used are closed.</param>
    /// <returns>Bytes read.</returns>
    /// <exception cref="TransferException">The source refused, is gone, or did not answer in time; or a local range is outside its region.</exception>
    Task<long> ReadAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken);
}
