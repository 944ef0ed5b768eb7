using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using NanoAspire.Native.Rdma.Cuda;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>Memory that devices may read and write. Owns the registration, and the memory only where UCX allocated it.</summary>
internal sealed unsafe class UcpMemoryRegion : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly UcpContext _context;

    private UcpMemoryRegion(UcpContext context, UcpMemMapParams parameters) : base(ownsHandle: true)
    {
        var held = false;
        (_context = context).DangerousAddRef(ref held);
        var status = Ucp.ucp_mem_map(context, &parameters, out var memory);
        if (status != UcxStatus.Ok)
        {
            context.DangerousRelease();
            throw new UcxException(status, nameof(Ucp.ucp_mem_map));
        }
        SetHandle(memory);
    }

    /// <summary>Registers memory of ours; it must outlive the registration.</summary>
    public static UcpMemoryRegion Register(UcpContext context, nint address, nuint length, MemoryKind kind = MemoryKind.Host) => new(context, new()
    {
        // Host memory UCX finds out by itself, and cheaply.
        FieldMask = UcpMemMapParams.MaskAddress | UcpMemMapParams.MaskLength | (kind == MemoryKind.Host ? 0 : UcpMemMapParams.MaskMemoryType),
        Address = address,
        Length = length,
        MemoryType = DeviceAccess.NumberOf(kind),
    });

    /// <summary>Has UCX allocate memory, shareable with other processes where it can.</summary>
    public static UcpMemoryRegion Allocate(UcpContext context, nuint length) => new(context, new()
    {
        FieldMask = UcpMemMapParams.MaskAddress | UcpMemMapParams.MaskLength | UcpMemMapParams.MaskFlags,
        Length = length,
        Flags = UcpMemMapParams.FlagAllocate,
    });

    public nint Address()
    {
        var attributes = new UcpMemAttr { FieldMask = UcpMemAttr.MaskAddress };
        UcxException.ThrowIfFailed(Ucp.ucp_mem_query(this, &attributes), nameof(Ucp.ucp_mem_query));
        return attributes.Address;
    }

    /// <summary>The key with which peers reach it.</summary>
    public byte[] PackKey()
    {
        UcxException.ThrowIfFailed(Ucp.ucp_rkey_pack(_context, this, out var buffer, out var length), nameof(Ucp.ucp_rkey_pack));
        var key = new byte[(int)length];
        Marshal.Copy(buffer, key, 0, key.Length);
        Ucp.ucp_rkey_buffer_release(buffer);
        return key;
    }

    protected override bool ReleaseHandle()
    {
        var released = Ucp.ucp_mem_unmap(_context, handle) == UcxStatus.Ok;
        _context.DangerousRelease();
        return released;
    }
}
