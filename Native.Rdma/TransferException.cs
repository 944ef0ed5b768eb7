namespace NanoAspire.Native.Rdma;

/// <summary>A transfer failed; what it wrote to the destination so far is undefined, and nothing is written any more.</summary>
public sealed class TransferException(TransferCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    public TransferCode Code { get; } = code;

    /// <summary>True when the same request may succeed on a fresh connection.</summary>
    public bool IsTransient => Code is TransferCode.PeerLost or TransferCode.Timeout or TransferCode.Protocol or TransferCode.Busy;
}
