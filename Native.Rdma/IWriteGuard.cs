namespace NanoAspire.Native.Rdma;

/// <summary>Decides at the owner of a region, per request, whether a peer may write ranges of it; called from any thread.</summary>
public interface IWriteGuard
{
    /// <summary>
    /// Leaves <paramref name="ranges"/> to the writer until the pin is disposed; that is when it has finished or its connection
    /// has ended, not earlier: a writer that was merely stopped still can write.
    /// </summary>
    /// <param name="token">What the writer showed.</param>
    /// <param name="ranges">All within the region; empty for a notification without data.</param>
    /// <returns>Null to refuse. The same object may be handed out more than once; it is disposed once for each time.</returns>
    IDisposable? TryGrant(ulong token, ReadOnlySpan<SourceRange> ranges);
}
