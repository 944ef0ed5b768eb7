using System.Buffers;

namespace NanoAspire.Native.Rdma;

/// <summary>
/// A movable <see cref="Memory{T}"/> over native memory, so that sockets send from and receive into regions without a copy
/// and without an object a range. Owned by one connection; moved only while no operation uses it.
/// </summary>
internal sealed unsafe class NativeWindow : MemoryManager<byte>
{
    private byte* _address;
    private int _length;

    public Memory<byte> Over(nint address, int length)
    {
        _address = (byte*)address;
        _length = length;
        return CreateMemory(length);
    }

    public override Span<byte> GetSpan() => new(_address, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_address + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
