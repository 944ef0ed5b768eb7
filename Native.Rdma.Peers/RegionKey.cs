using NanoAspire.Ctrl.Client;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>
/// A region as the control plane's four numbers: <c>rkey</c> is its generation, <c>lkey</c> its slot and 20 bits of the incarnation, so that
/// what an earlier run published is not taken for a region of this one. What then still matched by chance the owner would refuse: every
/// transfer names the whole incarnation.
/// </summary>
internal static class RegionKey
{
    private const int SlotBits = 12;

    public static MemoryRegionInfo Of(MemoryRegion region, ulong incarnation) =>
        new((ulong)region.Address, region.Length, region.Id.Generation, Tag(incarnation) | region.Id.Slot);

    /// <summary>What withdrawing a region leaves behind: there is no route to remove one.</summary>
    public static MemoryRegionInfo Withdrawn { get; } = new(0, 0, 0);

    /// <returns>Null when it is withdrawn or of another incarnation.</returns>
    public static PeerRegion? Read(MemoryRegionInfo info, ulong incarnation)
    {
        const uint slots = (1u << SlotBits) - 1;
        if (info.Length == 0 || info.RemoteKey == 0 || (info.LocalKey & ~slots) != Tag(incarnation)) return null;
        return new(new(info.LocalKey & slots, info.RemoteKey), info.Length);
    }

    private static uint Tag(ulong incarnation)
    {
        var folded = incarnation ^ (incarnation >> 20) ^ (incarnation >> 40) ^ (incarnation >> 60);
        return (uint)(folded & 0xFFFFF) << SlotBits;
    }
}
