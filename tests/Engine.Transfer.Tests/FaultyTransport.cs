using NanoAspire.Native.Rdma;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>A real transport with an accident after or instead of each read.</summary>
internal sealed class FaultyTransport(IKvTransport inner, Action<int, IReadOnlyList<BlockCopy>, IKvMemory> accident) : IKvTransport
{
    public List<int[]> Reads { get; } = [];

    public string Name => inner.Name;
    public string Reason => inner.Reason;
    public IReadOnlyList<TransferPath> Paths => inner.Paths;
    public bool CanRead(KvEndpoint source) => inner.CanRead(source);
    public string PathTo(KvEndpoint source) => inner.PathTo(source);
    public KvEndpoint Export(IKvMemory memory, IReadGuard guard) => inner.Export(memory, guard);
    public Task WithdrawAsync(IKvMemory memory, CancellationToken cancellationToken) => inner.WithdrawAsync(memory, cancellationToken);
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    public async Task<long> ReadAsync(KvEndpoint source, long lease, IReadOnlyList<BlockCopy> blocks, IKvMemory destination, CancellationToken cancellationToken)
    {
        Reads.Add([.. blocks.Select(static b => b.Source)]);
        var bytes = await inner.ReadAsync(source, lease, blocks, destination, cancellationToken);
        accident(Reads.Count, blocks, destination);
        return bytes;
    }
}
