namespace NanoAspire.Native.Rdma.Peers.Tests;

/// <summary>Its first reads end in a bug.</summary>
internal sealed class FaultyTransport(ITransport inner, int faults) : ITransport
{
    private int _faults = faults;

    public int FaultsLeft => Volatile.Read(ref _faults);
    public string Name => inner.Name;
    public string Reason => inner.Reason;
    public RegionRegistry Regions => inner.Regions;
    public TransferPeer Listen() => inner.Listen();
    public void Forget(TransferPeer peer) => throw new InvalidOperationException("a bug");

    public Task<long> ReadAsync(TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, CancellationToken cancellationToken)
    {
        if (FaultsLeft == 0) return inner.ReadAsync(peer, ranges, token, cancellationToken);
        Interlocked.Decrement(ref _faults);
        throw new InvalidOperationException("a bug");
    }

    public Task<long> WriteAsync(
        TransferPeer peer, IReadOnlyList<TransferRange> ranges, ulong token, WriteNotification? notification, CancellationToken cancellationToken) =>
        inner.WriteAsync(peer, ranges, token, notification, cancellationToken);

    public Task SendAsync(TransferPeer peer, ulong tag, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        inner.SendAsync(peer, tag, message, cancellationToken);

    public Task FlushAsync(TransferPeer peer, CancellationToken cancellationToken) => inner.FlushAsync(peer, cancellationToken);
    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
