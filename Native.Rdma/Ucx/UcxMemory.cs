using NanoAspire.Native.Rdma.Cuda;
using NanoAspire.Native.Rdma.OneSided;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>A region of a peer, reached through UCX.</summary>
internal sealed class UcxMemory(UcxThread thread, UcxConnection connection, ulong length, bool needsProof) : IRemoteMemory
{
    public ulong Length => length;
    public bool NeedsProof => needsProof;
    public string? Refuses(MemoryKind local) => DeviceAccess.RefusalOfUcx(local, UcxLibrary.Version, UcpContext.Process.MemoryTypes);
    public bool Overlaps => true; // the worker goes from one to the next without waiting for us

    public Task ConnectAsync(CancellationToken cancellationToken) => RunAsync(UcxBatch.Flush(connection, cancellationToken), cancellationToken);

    public async Task CopyAsync(TransferPlan plan, TransferFrame frame, bool writes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        // A device must know the local side as well. Several regions in one plan: UCX looks each range up itself.
        nint local = 0;
        if (plan.LocalRegions is [var only])
        {
            try { local = only.Attach(UcxRegistration.Of).Handle; }
            catch (UcxException e) { throw new TransferException(TransferCode.NotMappable, e.Message, e); }
        }
        // What is to be proven are UCX's own reads; then it is those that are used.
        var mayStream = !needsProof && plan.LocalRegions.All(static region => DeviceAccess.RefusalOfProcessor(region.Kind) is null);
        await RunAsync(new(connection, plan, frame, writes, local, mayStream, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => thread.Post(connection.Dispose);

    private async Task RunAsync(UcxBatch batch, CancellationToken cancellationToken)
    {
        thread.Start(batch);
        using var cancellation = cancellationToken.UnsafeRegister(static thread => ((UcxThread)thread!).Wake(), thread);
        await batch.Completion.ConfigureAwait(false);
    }
}
