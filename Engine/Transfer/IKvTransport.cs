using NanoAspire.Native.Rdma;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer;

/// <summary>Moves KV blocks from the memory of another engine into ours.</summary>
public interface IKvTransport : IAsyncDisposable
{
    /// <summary><c>auto</c>, <c>shm</c>, <c>ucx</c>, <c>tcp</c> or <c>loopback</c>: <see cref="KvEndpoint.Transport"/> of what <see cref="Export"/> returns.</summary>
    string Name { get; }

    /// <summary>What can be used here, and why; for people.</summary>
    string Reason { get; }

    /// <summary>How the sources are reached that were read lately.</summary>
    IReadOnlyList<TransferPath> Paths { get; }

    /// <summary>True when this transport and that of the source understand one another.</summary>
    bool CanRead(KvEndpoint source);

    /// <summary>What moves the bytes from this source, as far as that is known; for logs and traces.</summary>
    string PathTo(KvEndpoint source);

    /// <summary>
    /// Lets peers read <paramref name="memory"/>, as far as <paramref name="guard"/> grants it, until
    /// <see cref="WithdrawAsync"/> has completed. The memory must outlive that.
    /// </summary>
    /// <exception cref="TransferException">The transport cannot listen.</exception>
    /// <exception cref="InvalidOperationException">The memory is exported already.</exception>
    KvEndpoint Export(IKvMemory memory, IReadGuard guard);

    /// <summary>Ends an export and every other use of the memory; completes when no transfer touches it any more. Idempotent.</summary>
    Task WithdrawAsync(IKvMemory memory, CancellationToken cancellationToken);

    /// <summary>
    /// Reads blocks by one-sided reads. Completes once; after that nothing writes to the destination any more. After a failure
    /// the destination blocks are undefined. Contents are not verified here.
    /// </summary>
    /// <param name="source">The source's export, from a hand-off ticket.</param>
    /// <param name="lease">Names the parked sequence that owns the blocks; the source refuses blocks that are not its own.</param>
    /// <param name="blocks">An empty list completes at once.</param>
    /// <param name="destination">Must have the block size of the source.</param>
    /// <param name="cancellationToken">Stops the read.</param>
    /// <returns>Bytes read.</returns>
    /// <exception cref="TransferException">The source refused, is gone or too slow, or a block id is out of range.</exception>
    Task<long> ReadAsync(KvEndpoint source, long lease, IReadOnlyList<BlockCopy> blocks, IKvMemory destination, CancellationToken cancellationToken);
}
