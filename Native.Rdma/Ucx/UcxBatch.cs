using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

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
    private readonly CancellationToken _cancellation;
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly GCHandle _self;
    private int _range;
    private ulong _offset;
    private readonly HashSet<nint> _requests = [];
    private int _posted;
    private ulong _inFlightBytes;
    private bool _flushed;
    private UcxStatus _failure;
    private long _abortedAt;
    private int _abortTurns;
    private bool _connectionEnded;

    public UcxBatch(UcxConnection connection, TransferPlan plan, TransferFrame frame, bool writes, nint localMemory, CancellationToken cancellationToken)
    {
        (_connection, _plan, _frame, _writes, _localMemory, _cancellation) = (connection, plan, frame, writes, localMemory, cancellationToken);
        _range = frame.Start;
        _flushed = !writes;
        _self = GCHandle.Alloc(this);
    }

    /// <summary>Ends when nothing is in flight any more.</summary>
    public Task Completion => _done.Task;

    public override int InFlight => Volatile.Read(ref _posted);

    public override bool IsReady => _posted == 0 || CanPost && _range < _frame.Start + _frame.Count && _posted < Window && _inFlightBytes < WindowBytes;

    private bool CanPost => _failure == UcxStatus.Ok && !_cancellation.IsCancellationRequested && !_connection.IsBroken;

    public override bool Advance()
    {
        if (CanPost) Post();
        if (_posted > 0)
        {
            if (!CanPost) Abort();
            return !_done.Task.IsCompleted;
        }
        _inFlightBytes = 0;
        var unfinished = _range < _frame.Start + _frame.Count || !_flushed;
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
        for (var turn = 0ul; _range < _frame.Start + _frame.Count && turn < TurnBytes && _posted < Window && _inFlightBytes < WindowBytes && _failure == UcxStatus.Ok;)
        {
            ref readonly var range = ref _plan[_range];
            var length = Math.Min(range.Length - _offset, MaxOperationBytes);
            var local = range.LocalAddress + (nint)_offset;
            var remote = address + range.RemoteOffset + _offset;
            var request = _writes
                ? Ucp.ucp_put_nbx(endpoint, local, (nuint)length, remote, key, &parameters)
                : Ucp.ucp_get_nbx(endpoint, local, (nuint)length, remote, key, &parameters);
            Account(request, length);
            turn += length;
            _offset += length;
            if (_offset < range.Length) continue;
            (_range, _offset) = (_range + 1, 0);
        }
        if (_flushed || _posted > 0 || _range < _frame.Start + _frame.Count || _failure != UcxStatus.Ok) return;
        // Complete here is not yet visible there: only the flush is.
        parameters.AttributeMask &= ~UcpRequestParam.MaskMemoryHandle;
        _flushed = true;
        Account(Ucp.ucp_ep_flush_nbx(endpoint, &parameters), 0);
    }

    private void Account(nint request, ulong length)
    {
        if (request == 0) return; // done already, and no callback
        if (Ucp.IsError(request))
        {
            _failure = Ucp.StatusOf(request);
            return;
        }
        _requests.Add(request);
        _posted++;
        _inFlightBytes += length;
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
