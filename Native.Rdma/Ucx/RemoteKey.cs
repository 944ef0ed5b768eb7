using Microsoft.Win32.SafeHandles;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>The right to reach a region of the peer over one endpoint. Disposed by the thread of its worker, before the endpoint.</summary>
internal sealed unsafe class RemoteKey : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly UcpEndpoint _endpoint;
    private readonly UcpWorker _worker;

    public RemoteKey(UcpEndpoint endpoint, ReadOnlySpan<byte> packed) : base(ownsHandle: true)
    {
        var held = false;
        (_endpoint, _worker) = (endpoint, endpoint.Worker);
        endpoint.DangerousAddRef(ref held);
        UcxStatus status;
        nint key;
        fixed (byte* bytes = packed) status = Ucp.ucp_ep_rkey_unpack(endpoint, bytes, out key);
        if (status == UcxStatus.Ok)
        {
            SetHandle(key);
            return;
        }
        endpoint.DangerousRelease();
        throw new UcxException(status, nameof(Ucp.ucp_ep_rkey_unpack));
    }

    /// <summary>Where the peer's memory is mapped here: then a read is a copy, and needs nothing of the peer. 0: it is not.</summary>
    public nint Map(ulong remoteAddress) => Ucp.ucp_rkey_ptr(this, remoteAddress, out var address) == UcxStatus.Ok ? address : 0;

    protected override bool ReleaseHandle()
    {
        if (!_worker.IsDestroyed) Ucp.ucp_rkey_destroy(handle);
        _endpoint.DangerousRelease();
        return true;
    }
}
