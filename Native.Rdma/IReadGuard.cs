namespace NanoAspire.Native.Rdma;

/// <summary>Decides at the source, per request, whether a reader may have ranges of a region; called from any thread.</summary>
public interface IReadGuard
{
    /// <summary>Holds the content of <paramref name="ranges"/> still until the pin is disposed.</summary>
    /// <param name="token">What the reader showed.</param>
    /// <param name="ranges">All within the region.</param>
    /// <returns>Null to refuse. The same object may be handed out more than once; it is disposed once for each time.</returns>
    IDisposable? TryPin(ulong token, ReadOnlySpan<SourceRange> ranges);
}
