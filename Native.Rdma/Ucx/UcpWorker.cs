using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>Connections and their progress. One thread at a time may use it and what belongs to it; only <see cref="Signal"/> is free.</summary>
internal sealed unsafe class UcpWorker : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly UcpContext _context;

    public UcpWorker(UcpContext context) : base(ownsHandle: true)
    {
        var held = false;
        (_context = context).DangerousAddRef(ref held);
        var parameters = new UcpWorkerParams { FieldMask = UcpWorkerParams.MaskThreadMode, ThreadMode = UcpWorkerParams.ThreadSerialized };
        var status = Ucp.ucp_worker_create(context, &parameters, out var worker);
        if (status == UcxStatus.Ok)
        {
            SetHandle(worker);
            return;
        }
        context.DangerousRelease();
        throw new UcxException(status, nameof(Ucp.ucp_worker_create));
    }

    public UcpContext Context => _context;

    /// <summary>True after <see cref="Destroy"/>: what belonged to the worker is gone with it.</summary>
    public bool IsDestroyed { get; private set; }

    /// <summary>Tears it down with whatever is still posted; afterwards no device writes for it any more.</summary>
    public void Destroy()
    {
        if (IsDestroyed) return;
        IsDestroyed = true;
        Ucp.ucp_worker_destroy(handle);
    }

    /// <summary>What peers connect to; valid while the worker lives.</summary>
    public byte[] Address()
    {
        UcxException.ThrowIfFailed(Ucp.ucp_worker_get_address(this, out var address, out var length), nameof(Ucp.ucp_worker_get_address));
        var bytes = new byte[(int)length];
        Marshal.Copy(address, bytes, 0, bytes.Length);
        Ucp.ucp_worker_release_address(this, address);
        return bytes;
    }

    /// <summary>Becomes readable when there is something to progress. UCX's own: not to be closed.</summary>
    public int EventFd()
    {
        UcxException.ThrowIfFailed(Ucp.ucp_worker_get_efd(this, out var fd), nameof(Ucp.ucp_worker_get_efd));
        return fd;
    }

    /// <returns>Events handled.</returns>
    public uint Progress() => Ucp.ucp_worker_progress(handle);

    /// <summary>False when there is something to progress first.</summary>
    public bool TryArm() => Ucp.ucp_worker_arm(handle) == UcxStatus.Ok;

    /// <summary>Wakes whoever polls <see cref="EventFd"/>; from any thread.</summary>
    public void Signal() => Ucp.ucp_worker_signal(this);

    /// <summary>Progresses until a request has ended.</summary>
    /// <param name="request">What a <c>_nbx</c> function returned, without a callback; freed here.</param>
    /// <param name="patience">How long to progress for it.</param>
    /// <returns>Null when it has not ended within the time.</returns>
    public UcxStatus? Complete(nint request, TimeSpan patience)
    {
        if (request == 0) return UcxStatus.Ok;
        if (Ucp.IsError(request)) return Ucp.StatusOf(request);
        var started = Environment.TickCount64;
        UcxStatus status;
        while ((status = Ucp.ucp_request_check_status(request)) == UcxStatus.InProgress)
        {
            if (Environment.TickCount64 - started > patience.TotalMilliseconds)
            {
                Ucp.ucp_request_free(request); // goes when it ends, or with the worker
                return null;
            }
            if (Progress() == 0) Thread.Yield();
        }
        Ucp.ucp_request_free(request);
        return status;
    }

    protected override bool ReleaseHandle()
    {
        Destroy();
        _context.DangerousRelease();
        return true;
    }
}
