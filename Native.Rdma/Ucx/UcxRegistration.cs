namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>One region known to UCX, until it is unregistered.</summary>
internal sealed class UcxRegistration : IDisposable
{
    private readonly UcpMemoryRegion _memory;
    private readonly bool _owned;

    private UcxRegistration(UcpMemoryRegion memory, bool owned) => (_memory, _owned) = (memory, owned);

    /// <exception cref="UcxException">No device takes the memory.</exception>
    public static UcxRegistration Of(MemoryRegion region) => UcxArena.Find(region.Address, region.Length) is { } arena
        ? new(arena.Memory, owned: false)
        : new(UcpMemoryRegion.Register(UcpContext.Process, region.Address, (nuint)region.Length, region.Kind), owned: true);

    public nint Handle => _memory.DangerousGetHandle();

    public byte[] PackKey() => _memory.PackKey();

    public void Dispose()
    {
        if (_owned) _memory.Dispose();
    }
}
