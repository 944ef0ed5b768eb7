using System.Collections.Immutable;
using NanoAspire.Router.Nodes;

namespace NanoAspire.Router.Leases;

/// <summary>Parked KV of one request on a prefill engine, or its images on an encoder. Owned by the request; released once, whichever way the request ends.</summary>
internal sealed class KvLease(Node node, ImmutableArray<long> sequences, KvLeaseTable table) : IDisposable
{
    private int _released;

    public Node Node => node;
    public ImmutableArray<long> Sequences => sequences;

    /// <summary>Hands the release to the background; returns at once. Later calls do nothing.</summary>
    public void Release()
    {
        if (Interlocked.Exchange(ref _released, 1) == 0) table.Release(this);
    }

    public void Dispose() => Release();
}
