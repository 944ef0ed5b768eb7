using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>A connection to the worker of a peer. Used and disposed by the thread of its worker, after everything posted on it has ended.</summary>
internal sealed unsafe class UcpEndpoint : SafeHandleZeroOrMinusOneIsInvalid
{
    /// <summary>For a close; a peer that is gone answers no flush.</summary>
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(1);

    private readonly UcpWorker _worker;
    private readonly bool _peerErrors;
    private GCHandle _self;
    private int _failure;
    private bool _closed;
    private bool _ended;

    /// <param name="worker">Ours.</param>
    /// <param name="address">Of the peer's worker, as it told us: UCX believes what is in it.</param>
    /// <param name="peerErrors">Whether the loss of the peer is reported; both sides must agree. Some versions give up one-sided reads for it.</param>
    /// <exception cref="UcxException"><see cref="UcxStatus.Unreachable"/> when no transport reaches the peer.</exception>
    public UcpEndpoint(UcpWorker worker, ReadOnlySpan<byte> address, bool peerErrors) : base(ownsHandle: true)
    {
        var held = false;
        (_worker = worker).DangerousAddRef(ref held);
        _peerErrors = peerErrors;
        _self = GCHandle.Alloc(this, GCHandleType.Weak);
        UcxStatus status;
        nint endpoint;
        fixed (byte* bytes = address)
        {
            var parameters = new UcpEpParams
            {
                FieldMask = UcpEpParams.MaskRemoteAddress | UcpEpParams.MaskErrorMode | UcpEpParams.MaskErrorHandler,
                Address = (nint)bytes,
                ErrorMode = peerErrors ? UcpEpParams.ErrorPeer : UcpEpParams.ErrorNone,
                ErrorCallback = (nint)(delegate* unmanaged[Cdecl]<nint, nint, UcxStatus, void>)&OnError,
                ErrorArgument = GCHandle.ToIntPtr(_self),
            };
            status = Ucp.ucp_ep_create(worker, &parameters, out endpoint);
        }
        if (status == UcxStatus.Ok)
        {
            SetHandle(endpoint);
            return;
        }
        _self.Free();
        worker.DangerousRelease();
        throw new UcxException(status, nameof(Ucp.ucp_ep_create));
    }

    public UcpWorker Worker => _worker;

    /// <summary>True when <see cref="Abort"/> ends what is posted, whatever the peer does.</summary>
    public bool CanForce => _peerErrors;

    /// <summary>Not <see cref="UcxStatus.Ok"/> once UCX has given the connection up.</summary>
    public UcxStatus Failure => (UcxStatus)Volatile.Read(ref _failure);

    /// <summary>The transports in use, e.g. <c>rc_verbs/mlx5_0:1</c>; empty before 1.14, which does not tell.</summary>
    public string[] Transports()
    {
        if (UcxLibrary.Version < new Version(1, 14)) return [];
        var entries = stackalloc UcpTransportEntry[16];
        var attributes = new UcpEpAttr
        {
            FieldMask = UcpEpAttr.MaskTransports,
            TransportEntries = (nint)entries,
            TransportCount = 16,
            TransportEntrySize = (nuint)sizeof(UcpTransportEntry),
        };
        if (Ucp.ucp_ep_query(handle, &attributes) != UcxStatus.Ok) return [];
        var names = new string[(int)attributes.TransportCount];
        for (var i = 0; i < names.Length; i++)
            names[i] = $"{Marshal.PtrToStringUTF8(entries[i].TransportName)}/{Marshal.PtrToStringUTF8(entries[i].DeviceName)}";
        return names;
    }

    /// <summary>Ends the connection at once: what is posted fails by its callback, as far as the error mode allows.</summary>
    /// <returns>False when it could not be ended: late answers may still arrive.</returns>
    public bool Abort()
    {
        if (_closed || _worker.IsDestroyed) return true;
        _closed = true;
        var parameters = new UcpRequestParam
        {
            AttributeMask = UcpRequestParam.MaskFlags,
            // A forced close is refused where the peer's loss is not reported.
            Flags = _peerErrors ? UcpRequestParam.FlagForceClose : 0,
        };
        _ended = _worker.Complete(Ucp.ucp_ep_close_nbx(handle, &parameters), ClosePatience) is not null;
        return _ended;
    }

    protected override bool ReleaseHandle()
    {
        // After a close that did not end, UCX may still call back.
        if (Abort() && (_ended || _worker.IsDestroyed)) _self.Free();
        _worker.DangerousRelease();
        return true;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnError(nint argument, nint endpoint, UcxStatus status)
    {
        if (GCHandle.FromIntPtr(argument).Target is UcpEndpoint owner) Volatile.Write(ref owner._failure, (int)status);
    }
}
