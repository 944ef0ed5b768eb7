namespace NanoAspire.Native.Rdma;

/// <summary>What peers may do with a region, as far as its guards agree.</summary>
[Flags]
public enum RegionAccess
{
    /// <summary>Nothing: it serves our own transfers only, and peers are told it does not exist.</summary>
    Local = 0,
    PeersRead = 1,
    /// <summary>Needs an <see cref="IWriteGuard"/>: nobody writes without a grant of the owner.</summary>
    PeersWrite = 2,
}
