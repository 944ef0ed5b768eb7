using System.Runtime.CompilerServices;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>
/// Threads on which large frames wait for their socket in the system itself: through the pool every wait costs hops between threads that
/// are dearer than the copy they wait for, and a wait in the pool would keep others out of it. An asynchronous method that awaits
/// <see cref="EnterAsync"/> goes on there until something it awaits is not ready; then it is back in the pool and its thread ends.
/// </summary>
internal static class LaneThread
{
    /// <summary>Bytes of a read, and of a frame at its source, from which on a thread is worth its start.</summary>
    public const int LargeRead = 16 << 20, LargeFrame = 1 << 20;

    /// <summary>Of the whole process; who comes later stays in the pool.</summary>
    public static int Limit { get; } = 4 * Math.Max(2, Environment.ProcessorCount);

    private static int s_count;
    [ThreadStatic] private static bool t_current;

    /// <summary>Waiting here keeps nobody else waiting.</summary>
    public static bool IsCurrent => t_current;

    /// <summary>Threads there are now.</summary>
    public static int Count => Volatile.Read(ref s_count);

    /// <summary>Goes on in a thread of its own, if there may be one more.</summary>
    public static Hop EnterAsync() => new(!t_current && SocketVectors.IsSupported && TryTake(), enters: true);

    /// <summary>Goes on in the pool: what comes next is not about sockets.</summary>
    public static Hop LeaveAsync() => new(t_current, enters: false);

    private static bool TryTake()
    {
        for (var count = Count; count < Limit;)
        {
            var seen = Interlocked.CompareExchange(ref s_count, count + 1, count);
            if (seen == count) return true;
            count = seen;
        }
        return false;
    }

    private static void Start(Action work)
    {
        try
        {
            new Thread(() => Run(work)) { IsBackground = true, Name = "transfer lane" }.UnsafeStart();
        }
        catch (OutOfMemoryException)
        {
            // No room for a thread: what the runtime throws for it. The pool is slower, nothing else.
            Interlocked.Decrement(ref s_count);
            ThreadPool.UnsafeQueueUserWorkItem(static work => work(), work, preferLocal: false);
        }
    }

    private static void Run(Action work)
    {
        t_current = true;
        try { work(); }
        finally { Interlocked.Decrement(ref s_count); }
    }

    /// <summary>Awaited once, at once: it holds the place of a thread.</summary>
    public readonly struct Hop(bool needed, bool enters) : ICriticalNotifyCompletion
    {
        public bool IsCompleted => !needed;
        public Hop GetAwaiter() => this;
        public void GetResult() { }
        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation)
        {
            if (enters) Start(continuation);
            else ThreadPool.UnsafeQueueUserWorkItem(static work => work(), continuation, preferLocal: false);
        }
    }
}
