namespace NanoAspire.Native.Rdma.OneSided;

/// <summary>A way to reach memory of another process that needs nothing of its processor; both sides of it.</summary>
internal interface IOneSidedPath : IAsyncDisposable
{
    /// <summary>On the wire; never changes its meaning.</summary>
    byte Kind { get; }

    /// <summary><c>shm</c> or <c>ucx</c>.</summary>
    string Name { get; }

    /// <summary>At the owner: what a peer needs to reach the region. Null when it cannot be reached so.</summary>
    /// <param name="region">Pinned by the caller.</param>
    byte[]? Describe(MemoryRegion region);

    /// <summary>At the owner: stands still, for a bounded time, so that a peer can see that its transfers do not need us; and goes on.</summary>
    void Hold(bool hold);

    /// <summary>At the peer: opens what <see cref="Describe"/> told.</summary>
    /// <returns>The memory, or null, and in both cases why.</returns>
    Task<(IRemoteMemory? Memory, string Reason)> OpenAsync(byte[] description, bool writes, CancellationToken cancellationToken);
}
