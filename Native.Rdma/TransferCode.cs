namespace NanoAspire.Native.Rdma;

/// <summary>How a transfer ended. Values below 64 travel in replies and never change their number.</summary>
public enum TransferCode : byte
{
    Ok = 0,
    /// <summary>The source could not make sense of the request.</summary>
    BadRequest = 1,
    /// <summary>No region with this id was ever registered, or it is not readable by peers.</summary>
    UnknownRegion = 2,
    /// <summary>The region is gone: unregistered, its slot reused, or the source restarted.</summary>
    StaleRegion = 3,
    /// <summary>A range reaches beyond its region.</summary>
    OutOfRange = 4,
    /// <summary>The region's guard does not accept the token for these ranges (any more).</summary>
    TokenRefused = 5,
    /// <summary>More ranges or bytes than one request may name.</summary>
    LimitExceeded = 6,
    /// <summary>The source serves as many connections as it is allowed to.</summary>
    Busy = 7,
    /// <summary>The region is in the memory of a device, and its bytes would have to pass through the processor.</summary>
    DeviceMemory = 8,

    /// <summary>No connection, or it broke.</summary>
    PeerLost = 64,
    /// <summary>The peer did not answer within the deadline of a frame.</summary>
    Timeout = 65,
    /// <summary>The peer answered with something that is not a reply.</summary>
    Protocol = 66,
    /// <summary>The source region cannot be mapped into this process, and nothing else was allowed.</summary>
    NotMappable = 67,
}
