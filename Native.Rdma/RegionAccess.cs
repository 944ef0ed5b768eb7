namespace NanoAspire.Native.Rdma;

/// <summary>Who may touch a region.</summary>
public enum RegionAccess
{
    /// <summary>Destination of our own reads only; peers are told it does not exist.</summary>
    Local,
    /// <summary>Peers may read it as well.</summary>
    PeersRead,
}
