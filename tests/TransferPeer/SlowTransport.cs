using NanoAspire.Engine;
using NanoAspire.Engine.Transfer;
using NanoAspire.Native.Rdma;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.TransferPeer;

/// <summary>Makes the source take its time for every request, so that a test can act in the middle of a read.</summary>
public sealed class SlowTransport(IKvTransport inner, TimeSpan delay) : IKvTransport
{
    private int _requests;

    public TimeSpan Delay { get; set; } = delay;
    public string Name => inner.Name;
    public string Reason => inner.Reason;
    public IReadOnlyList<TransferPath> Paths => inner.Paths;
    public bool CanRead(KvEndpoint source) => inner.CanRead(source);
    public string PathTo(KvEndpoint source) => inner.PathTo(source);
    public int Requests => Volatile.Read(ref _requests);

    public KvEndpoint Export(IKvMemory memory, IReadGuard guard) => inner.Export(memory, new SlowGuard(this, guard));

    public Task WithdrawAsync(IKvMemory memory, CancellationToken cancellationToken) => inner.WithdrawAsync(memory, cancellationToken);

    public Task<long> ReadAsync(KvEndpoint source, long lease, IReadOnlyList<BlockCopy> blocks, IKvMemory destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(source, lease, blocks, destination, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private sealed class SlowGuard(SlowTransport owner, IReadGuard guard) : IReadGuard
    {
        public IDisposable? TryPin(ulong token, ReadOnlySpan<SourceRange> ranges)
        {
            var pin = guard.TryPin(token, ranges);
            Interlocked.Increment(ref owner._requests);
            Thread.Sleep(owner.Delay);
            return pin;
        }
    }
}
