using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>A loop body: items are independent and any worker may run any of them, so nothing in a result may depend on who did.</summary>
internal interface IWork
{
    /// <param name="item">0 … items − 1, each exactly once.</param>
    /// <param name="worker">0 … threads − 1: whose scratch memory to use.</param>
    void Run(int item, int worker);
}

/// <summary>
/// A fixed set of threads for parallel loops. Workers spin for a moment after a loop, because a decode step has hundreds of them in a
/// row, and park when none follows. The caller works too and never waits for a parked worker: whoever wakes late finds the loop closed.
/// One caller at a time.
/// </summary>
internal sealed unsafe class WorkerPool : IDisposable
{
    private const long Open = 1L << 31, ActiveMask = 0xffff;
    private static readonly long SpinTicks = Stopwatch.Frequency / 20_000;   // 50 µs

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _wake = new(0);
    private Counters _counters;
    private delegate*<void*, int, int, void> _invoke;
    private void* _work;
    private int _items;
    private ExceptionDispatchInfo? _failure;
    private int _busy;
    private volatile bool _stopping;

    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, 1024);
        Threads = threads;
        _threads = new Thread[threads - 1];
        for (var i = 0; i < _threads.Length; i++)
        {
            var worker = i + 1;
            _threads[i] = new Thread(() => Serve(worker)) { IsBackground = true, Name = $"kernels-{worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>The caller included.</summary>
    public int Threads { get; }

    /// <summary>Runs all items and returns when they are done. The first exception of any item is rethrown here; items not yet started are then skipped.</summary>
    /// <param name="work">By value: the copy in this frame is what the workers see.</param>
    /// <param name="items">How many.</param>
    public void Run<TWork>(TWork work, int items) where TWork : struct, IWork
    {
        if (items <= 0) return;
        if (Interlocked.Exchange(ref _busy, 1) != 0) throw new InvalidOperationException("The worker pool already runs a loop; it has one caller at a time.");
        try
        {
            if (items == 1 || _threads.Length == 0)
            {
                for (var i = 0; i < items; i++) work.Run(i, 0);
                return;
            }
            ObjectDisposedException.ThrowIf(_stopping, this);
            _invoke = &Invoke<TWork>;
            _work = Unsafe.AsPointer(ref work);
            _items = items;
            _failure = null;
            _counters.Next = 0;
            Announce(Open);
            Drain(worker: 0);
            Close();
            _failure?.Throw();
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    public void Dispose()
    {
        if (_stopping) return;
        _stopping = true;
        Announce(0);
        foreach (var thread in _threads) thread.Join();
        _wake.Dispose();
    }

    private static void Invoke<TWork>(void* work, int item, int worker) where TWork : struct, IWork => Unsafe.AsRef<TWork>(work).Run(item, worker);

    /// <summary>Starts a new generation. The exchange is a full fence: a worker either sees it or is counted as parked.</summary>
    private void Announce(long open)
    {
        var generation = (Volatile.Read(ref _counters.Gate) >> 32) + 1;
        Interlocked.Exchange(ref _counters.Gate, generation << 32 | open);
        var parked = Interlocked.Exchange(ref _counters.Parked, 0);
        if (parked > 0) _wake.Release(parked);
    }

    /// <summary>Nobody may join any more; waits for those who did.</summary>
    private void Close()
    {
        Interlocked.And(ref _counters.Gate, ~Open);
        var start = Stopwatch.GetTimestamp();
        while ((Volatile.Read(ref _counters.Gate) & ActiveMask) != 0)
        {
            if (Stopwatch.GetTimestamp() - start < SpinTicks) Thread.SpinWait(4);
            else Thread.Yield();                                             // the worker lost its core: let it have ours
        }
    }

    private void Drain(int worker)
    {
        try
        {
            for (int item; (item = Interlocked.Increment(ref _counters.Next) - 1) < _items;) _invoke(_work, item, worker);
        }
        catch (Exception e)                                                  // rethrown by Run on the caller's thread
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
            Volatile.Write(ref _counters.Next, _items);
        }
    }

    private void Serve(int worker)
    {
        long seen = 0;
        while (true)
        {
            var gate = AwaitGeneration(seen);
            if (_stopping) return;
            seen = gate >> 32;
            while ((gate & Open) != 0 && gate >> 32 == seen)
            {
                var found = Interlocked.CompareExchange(ref _counters.Gate, gate + 1, gate);
                if (found == gate)
                {
                    Drain(worker);
                    Interlocked.Decrement(ref _counters.Gate);
                    break;
                }
                gate = found;
            }
        }
    }

    private long AwaitGeneration(long seen)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var gate = Volatile.Read(ref _counters.Gate);
            if (gate >> 32 != seen) return gate;
            if (Stopwatch.GetTimestamp() - start < SpinTicks)
            {
                Thread.SpinWait(4);
                continue;
            }
            Interlocked.Increment(ref _counters.Parked);
            if (Volatile.Read(ref _counters.Gate) >> 32 == seen || !TryUnpark()) _wake.Wait();
            start = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>False when the caller has already counted this worker: then a wake-up is on its way and must be taken.</summary>
    private bool TryUnpark()
    {
        for (var parked = Volatile.Read(ref _counters.Parked); parked > 0;)
        {
            var found = Interlocked.CompareExchange(ref _counters.Parked, parked - 1, parked);
            if (found == parked) return true;
            parked = found;
        }
        return false;
    }

    /// <summary>Each on its own cache lines: workers hammer <see cref="Next"/> while others poll <see cref="Gate"/>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 512)]
    private struct Counters
    {
        /// <summary>Generation in the high half, <see cref="Open"/>, and the number of workers inside in the low bits.</summary>
        [FieldOffset(128)] public long Gate;
        [FieldOffset(256)] public int Next;
        [FieldOffset(384)] public int Parked;
    }
}
