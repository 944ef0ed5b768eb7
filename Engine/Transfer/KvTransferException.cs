namespace NanoAspire.Engine.Transfer;

/// <summary>A hand-off did not work out; <see cref="Code"/> says how, in words that cross process boundaries.</summary>
public sealed class KvTransferException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Model, dtype, block geometry, transport or prompt differ: trying again with the same ticket is pointless.</summary>
    public const string IncompatibleLayout = "incompatible_layout";
    /// <summary>The source no longer keeps the blocks for this ticket.</summary>
    public const string LeaseExpired = "lease_expired";
    /// <summary>A block did not match its checksum, also after it was read again.</summary>
    public const string Corrupt = "kv_corrupt";
    /// <summary>The source is dead, was restarted, or does not answer.</summary>
    public const string PeerGone = "peer_gone";
    /// <summary>The pull as a whole took too long.</summary>
    public const string Timeout = "kv_transfer_timeout";
    /// <summary>Anything else between two engines.</summary>
    public const string Failed = "kv_transfer_failed";
    /// <summary>The prefill side keeps as many sequences as it may.</summary>
    public const string HandoffFull = "handoff_full";

    public string Code { get; } = code;
}
