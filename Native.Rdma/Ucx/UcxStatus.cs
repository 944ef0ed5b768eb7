namespace NanoAspire.Native.Rdma.Ucx;

/// <summary><c>ucs_status_t</c>: a packed enum of one byte; read as an int it would come out as garbage.</summary>
internal enum UcxStatus : sbyte
{
    Ok = 0,
    InProgress = 1,
    NoMessage = -1,
    NoResource = -2,
    IoError = -3,
    NoMemory = -4,
    InvalidParam = -5,
    Unreachable = -6,
    InvalidAddress = -7,
    NotImplemented = -8,
    NoDevice = -14,
    Busy = -15,
    Canceled = -16,
    ShmemSegment = -17,
    TimedOut = -20,
    Unsupported = -22,
    Rejected = -23,
    NotConnected = -24,
    ConnectionReset = -25,
    EndpointTimeout = -80,
}
