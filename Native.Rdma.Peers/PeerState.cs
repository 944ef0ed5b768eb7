namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Where a wanted connection stands.</summary>
public enum PeerState
{
    /// <summary>The peer is not registered (any more).</summary>
    Waiting,
    Connecting,
    Connected,
    /// <summary>The last attempt failed; the next one follows after a pause.</summary>
    Failed,
    /// <summary>Not wanted any more, or this agent has ended.</summary>
    Closed,
}
