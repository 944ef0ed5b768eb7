using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>
/// Owns a worker: every call that touches it happens here. Turns between the pieces of all work, so that a large transfer holds
/// up no other; sleeps on UCX's event handle when there is nothing to do, after spinning for a moment if something is in flight.
/// </summary>
internal sealed partial class UcxThread : IAsyncDisposable
{
    /// <summary>Work at one time; more is refused.</summary>
    private const int MaxWork = 1024;
    /// <summary>How long to sleep while something is in flight: its deadline may pass meanwhile.</summary>
    private const int WatchMilliseconds = 20;

    private readonly UcpWorker _worker;
    private readonly int _eventFd;
    private readonly TimeSpan _spin;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentQueue<Action> _commands = new();
    private readonly List<UcxWork> _work = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private int _sleeping;
    private bool _stopping;
    private bool _dead;
    private bool _abandoned;
    private long _heldUntil;
    private int _holds;

    /// <exception cref="UcxException">No worker can be made.</exception>
    public UcxThread(UcpContext context, string name, TimeSpan spin, TimeProvider time, ILogger logger)
    {
        (_spin, _time, _logger) = (spin, time, logger);
        _worker = new(context);
        try
        {
            _eventFd = _worker.EventFd();
            Address = _worker.Address();
        }
        catch
        {
            _worker.Dispose();
            throw;
        }
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>Of the worker, for peers.</summary>
    public byte[] Address { get; }

    /// <summary>True after the worker had to be torn down with something in flight: a new one is needed.</summary>
    public bool IsDead => Volatile.Read(ref _dead);

    /// <summary>Runs something short on the thread.</summary>
    /// <exception cref="TransferException">The thread is dead.</exception>
    public Task<T> RunAsync<T>(Func<UcpWorker, T> work)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var accepted = TryEnqueue(() =>
        {
            if (_worker.IsDestroyed)
            {
                result.SetException(Gone());
                return;
            }
            try { result.SetResult(work(_worker)); }
            catch (Exception e) { result.SetException(e); }
        });
        if (!accepted) result.SetException(Gone());
        return result.Task;
    }

    /// <summary>Runs something short on the thread when it comes to it; elsewhere once the thread has ended, but never beside it.</summary>
    public void Post(Action work)
    {
        if (!TryEnqueue(work)) _ = _ended.Task.ContinueWith(_ => work(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <exception cref="TransferException">The thread is dead, or has too much to do.</exception>
    public void Start(UcxWork work)
    {
        var accepted = TryEnqueue(() =>
        {
            if (_work.Count == MaxWork)
            {
                work.Fail(new(TransferCode.LimitExceeded, $"{MaxWork} transfers are in flight"));
                return;
            }
            if (_work.FindLast(other => other.Transfer == work.Transfer) is { } earlier) work.Follow(earlier);
            _work.Add(work);
        });
        if (accepted) return;
        var gone = Gone();
        work.Fail(gone);
        throw gone;
    }

    /// <summary>Has the thread look at its work now.</summary>
    public void Wake()
    {
        if (Volatile.Read(ref _sleeping) == 0) return;
        lock (_gate)
        {
            if (!_dead) _worker.Signal();
        }
    }

    /// <summary>Makes no progress on behalf of peers, for at most <paramref name="limit"/>. Holds add up.</summary>
    public void Hold(bool hold, TimeSpan limit)
    {
        if (hold) Volatile.Write(ref _heldUntil, _time.GetTimestamp() + (long)(limit.TotalSeconds * _time.TimestampFrequency));
        if (hold) Interlocked.Increment(ref _holds);
        else if (Interlocked.Decrement(ref _holds) < 0) Interlocked.Increment(ref _holds); // of a hold before there was a worker
        Wake();
    }

    /// <summary>Tears the worker down under whatever could not be ended otherwise; on the thread.</summary>
    public void Kill()
    {
        lock (_gate) _dead = true;
        _logger.WorkerKilled();
        foreach (var work in _work) work.Release();
        _worker.Destroy();
    }

    /// <summary>Ends the thread and leaves the worker as it is, for ever: for one that UCX could neither use nor close. Whoever calls it keeps it from being collected.</summary>
    public void Abandon()
    {
        lock (_gate) (_abandoned, _stopping) = (true, true);
        Wake();
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate) _stopping = true;
        Wake();
        await _ended.Task.ConfigureAwait(false);
    }

    private static TransferException Gone() => new(TransferCode.PeerLost, "the UCX worker is gone");

    private bool TryEnqueue(Action command)
    {
        lock (_gate)
        {
            if (_dead || _stopping && _ended.Task.IsCompleted) return false;
            _commands.Enqueue(command);
        }
        Wake();
        return true;
    }

    private void Run()
    {
        try
        {
            var (quietSince, inFlight) = (_time.GetTimestamp(), 0);
            while (true)
            {
                if (Volatile.Read(ref _abandoned)) break;
                var busy = RunCommands();
                if (!_dead) busy |= AdvanceWork();
                if (_dead) break;
                var progressed = !IsHeld && _worker.Progress() > 0;
                var left = InFlight();
                // Not what UCX does for itself: its keepalive would have a thread spin for ever.
                if (busy || left != inFlight) (quietSince, inFlight) = (_time.GetTimestamp(), left);
                if (busy || progressed) continue;
                lock (_gate)
                {
                    if (_stopping && _work.Count == 0 && _commands.IsEmpty) break;
                }
                if (_work.Count > 0 && _time.GetElapsedTime(quietSince) < _spin) Thread.SpinWait(20);
                else Sleep();
            }
        }
        finally
        {
            End();
        }
    }

    private bool RunCommands()
    {
        var any = false;
        while (_commands.TryDequeue(out var command))
        {
            command();
            any = true;
        }
        return any;
    }

    private bool AdvanceWork()
    {
        var ready = false;
        for (var i = 0; i < _work.Count && !_dead;)
        {
            var work = _work[i];
            if (!work.Advance())
            {
                _work.RemoveAt(i);
                continue;
            }
            ready |= work.IsReady;
            i++;
        }
        return ready;
    }

    private int InFlight()
    {
        var sum = 0;
        foreach (var work in _work) sum += work.InFlight;
        return sum;
    }

    internal bool IsHeld => Volatile.Read(ref _holds) > 0 && _time.GetTimestamp() < Volatile.Read(ref _heldUntil);

    private void Sleep()
    {
        Volatile.Write(ref _sleeping, 1);
        Interlocked.MemoryBarrier();
        var held = IsHeld;
        // Not ready to sleep: there is something to progress first, or to do.
        if (_commands.IsEmpty && !Volatile.Read(ref _stopping) && (held || _worker.TryArm()))
        {
            var wait = new PollEntry { Handle = _eventFd, Events = PollIn };
            if (held) Thread.Sleep(1); // the handle stays readable while nobody progresses
            else _ = poll(ref wait, 1, _work.Count > 0 ? WatchMilliseconds : -1);
        }
        Volatile.Write(ref _sleeping, 0);
    }

    /// <summary>Nothing is accepted any more; what was is answered.</summary>
    private void End()
    {
        lock (_gate) (_dead, _stopping) = (true, true);
        if (_abandoned)
        {
            _ended.SetResult();
            return;
        }
        RunCommands(); // what disposes handles; the worker is still there, or knows that it is not
        foreach (var work in _work) work.Fail(Gone());
        _work.Clear();
        _worker.Dispose();
        _ended.SetResult();
    }

    private const short PollIn = 1;

    [LibraryImport("libc")]
    private static partial int poll(ref PollEntry entries, nuint count, int timeout);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Handle;
        public short Events;
        public short Returned;
    }
}
