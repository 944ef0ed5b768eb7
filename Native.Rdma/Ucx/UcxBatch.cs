using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>One frame on its way: posts its ranges within a window, and ends when every callback has been made.</summary>
internal sealed unsafe class UcxBatch : UcxWork
{
    /// <summary>Operations and bytes posted and not complete, at one time.</summary>
    private const int Window = 256;
    private const ulong WindowBytes = 64 << 20;
    /// <summary>Posted in one turn: where a post is the copy itself, others want their turn as well.</summary>
    private const ulong TurnBytes = 4 << 20;
    private const ulong MaxOperationBytes = 16 << 20;
    /// <summary>After cancellation, for what is in flight; then the connection is ended under it, then the worker.</summary>
    private static readonly TimeSpan AbortPatience = TimeSpan.FromSeconds(1);
    /// <summary>And as many turns as well: on a busy machine a second may pass without one, and callbacks come with turns.</summary>
    private const int AbortTurns = 20;

    private readonly UcxConnection _connection;
    private readonly TransferPlan _plan;
    private readonly TransferFrame _frame;
    private readonly bool _writes;
    private readonly nint _localMemory;
    /// <summary>Past the caches, where UCX has mapped the region: its own copy takes each range for itself and knows nothing of the others.</summary>
    private readonly bool _streams;
    private readonly CancellationToken _cancellation;
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly GCHandle _self;
    private int _next;
    private ulong _offset;
    private readonly HashSet<nint> _requests = [];
    private int _posted;
    private ulong _inFlightBytes;
    private bool _flushed;
    private UcxStatus _failure;
    private long _abortedAt;
    private int _abortTurns;
    private bool _connectionEnded;
    private UcxWork? _earlier;

    /// <param name="connection">To the owner.</param>
    /// <param name="plan">Keeps the local regions.</param>
    /// <param name="frame">Of the plan.</param>
    /// <param name="writes">Puts instead of gets.</param>
    /// <param name="localMemory">The registration of the one local region, or 0.</param>
    /// <param name="mayStream">The processor reaches the local memory, and what UCX has mapped it copies itself.</param>
    /// <param name="cancellationToken">Ends the batch, once nothing is in flight.</param>
    public UcxBatch(UcxConnection connection, TransferPlan plan, TransferFrame frame, bool writes, nint localMemory, bool mayStream, CancellationToken cancellationToken)
    {
        (_connection, _plan, _frame, _writes, _localMemory, _cancellation) = (connection, plan, frame, writes, localMemory, cancellationToken);
        _flushed = !writes;
        _streams = mayStream && connection.Mapped != 0 && StreamingCopy.IsWorthwhile(plan.Slice(frame.Start, frame.Count), writes);
        _self = GCHandle.Alloc(this);
    }

    /// <summary>Moves nothing: ends when the connection is made and what was posted on it before is visible at the peer.</summary>
    public static UcxBatch Flush(UcxConnection connection, CancellationToken cancellationToken) => new(connection, TransferPlan.Empty, default, writes: true, localMemory: 0, mayStream: false, cancellationToken);

    /// <summary>Ends when nothing is in flight any more.</summary>
    public Task Completion => _done.Task;

    public override int InFlight => Volatile.Read(ref _posted);

    public override object Transfer => _plan;

    public override bool IsPosting => CanPost && _next < _frame.Count;

    public override bool IsReady => (!CanPost || !Waits) && (_posted == 0 || IsPosting && HasRoom);

    public override void Follow(UcxWork earlier) => _earlier = earlier;

    private bool Waits
    {
        get
        {
            if (_earlier is { IsPosting: false }) _earlier = null; // and with it the chain of those before
            return _earlier is not null;
        }
    }

    private bool HasRoom => _posted < Window && _inFlightBytes < WindowBytes;

    private bool CanPost => _failure == UcxStatus.Ok && !_cancellation.IsCancellationRequested && !_connection.IsBroken;

    public override bool Advance()
    {
        if (CanPost && !Waits) Post();
        if (_posted > 0)
        {
            if (!CanPost) Abort();
            return !_done.Task.IsCompleted;
        }
        _inFlightBytes = 0;
        var unfinished = _next < _frame.Count || !_flushed;
        if (unfinished && CanPost) return true;
        Finish(unfinished);
        return false;
    }

    public override void Release()
    {
        foreach (var request in _requests) Ucp.ucp_request_free(request);
        _requests.Clear();
    }

    public override void Fail(TransferException reason)
    {
        if (_done.TrySetException(reason)) _self.Free();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Post()
    {
        var parameters = new UcpRequestParam
        {
            AttributeMask = UcpRequestParam.MaskCallback | UcpRequestParam.MaskUserData | (_localMemory == 0 ? 0 : UcpRequestParam.MaskMemoryHandle),
            Callback = (nint)(delegate* unmanaged[Cdecl]<nint, UcxStatus, nint, void>)&OnCompleted,
            UserData = GCHandle.ToIntPtr(_self),
            MemoryHandle = _localMemory,
        };
        var (endpoint, key, address) = (_connection.Endpoint.DangerousGetHandle(), _connection.Key.DangerousGetHandle(), _connection.RemoteAddress);
        var (streams, writes, mapped, end) = (_streams, _writes, _connection.Mapped, _frame.Count);
        // Every copy pushes what the loop uses out of the nearest cache, so it uses little: a few locals and the ranges themselves.
        var (next, offset, turn) = (_next, _offset, 0ul);
        fixed (PlannedRange* ranges = _plan.Slice(_frame.Start, end))
        {
            for (var hasRoom = HasRoom; hasRoom && next < end && turn < TurnBytes;)
            {
                var range = ranges + next;
                var length = Math.Min(range->Length - offset, streams ? TurnBytes : MaxOperationBytes);
                var local = range->LocalAddress + (nint)offset;
                var remote = range->RemoteOffset + offset;
                turn += length;
                offset += length;
                if (offset == range->Length) (next, offset) = (next + 1, 0);
                nint request = 0;
                if (streams) Stream(local, mapped + (nint)remote, length, writes);
                else if (writes) request = Ucp.ucp_put_nbx(endpoint, local, (nuint)length, address + remote, key, &parameters);
                else request = Ucp.ucp_get_nbx(endpoint, local, (nuint)length, address + remote, key, &parameters);
                if (request != 0) hasRoom = Account(request, length); // else it is done already, and there is no callback
            }
        }
        (_next, _offset) = (next, offset);
        if (streams) StreamingCopy.Fence();
        if (_flushed || _posted > 0 || next < end || _failure != UcxStatus.Ok) return;
        // Complete here is not yet visible there: only the flush is.
        parameters.AttributeMask &= ~UcpRequestParam.MaskMemoryHandle;
        _flushed = true;
        var flush = Ucp.ucp_ep_flush_nbx(endpoint, &parameters);
        if (flush != 0) Account(flush, 0);
    }

    private static void Stream(nint local, nint remote, ulong length, bool writes)
    {
        var (from, to) = writes ? (local, remote) : (remote, local);
        StreamingCopy.Copy((byte*)from, (byte*)to, length);
    }

    /// <returns>True when more may be posted.</returns>
    private bool Account(nint request, ulong length)
    {
        if (Ucp.IsError(request))
        {
            _failure = Ucp.StatusOf(request);
            return false;
        }
        _requests.Add(request);
        _posted++;
        _inFlightBytes += length;
        return HasRoom;
    }

    private void Abort()
    {
        if (_abortedAt == 0) _abortedAt = Stopwatch.GetTimestamp();
        if (++_abortTurns < AbortTurns || Stopwatch.GetElapsedTime(_abortedAt) < AbortPatience) return;
        // Nothing else takes back what was posted. What even this leaves open could be written to later, so the worker goes.
        if (!_connectionEnded)
        {
            (_connectionEnded, _abortedAt, _abortTurns) = (true, Stopwatch.GetTimestamp(), 0);
            if (_connection.Break()) return; // the callbacks come with the next turns
        }
        _connection.Kill();
        Finish(unfinished: true);
    }

    private void Finish(bool unfinished)
    {
        if (!unfinished && _failure == UcxStatus.Ok && _done.TrySetResult()) _self.Free();
        else if (_cancellation.IsCancellationRequested && _done.TrySetCanceled(_cancellation)) _self.Free();
        else if (_failure != UcxStatus.Ok) Fail(new(TransferCode.PeerLost, $"UCX: {Ucp.Text(_failure)}"));
        else Fail(new(TransferCode.PeerLost, "the UCX connection broke"));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnCompleted(nint request, UcxStatus status, nint userData)
    {
        var batch = (UcxBatch)GCHandle.FromIntPtr(userData).Target!;
        batch._requests.Remove(request);
        batch._posted--;
        Ucp.ucp_request_free(request); // not earlier: that would take the callback away
        if (status != UcxStatus.Ok && batch._failure == UcxStatus.Ok) batch._failure = status;
    }
}
