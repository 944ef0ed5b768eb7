using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed class WorkerPoolTests
{
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(8)]
    public void Every_item_runs_exactly_once(int threads)
    {
        using var pool = new WorkerPool(threads);
        foreach (var items in (int[])[0, 1, 2, 3, 7, 64, 1000])
        {
            var runs = new int[items];
            pool.Run(new Count(runs, threads), items);
            Assert.All(runs, n => Assert.Equal(1, n));
        }
    }

    [Fact]
    public void Loops_in_quick_succession_and_after_pauses_all_complete()
    {
        using var pool = new WorkerPool(3);
        var runs = new int[5];
        for (var i = 0; i < 20_000; i++)
        {
            pool.Run(new Count(runs, 3), runs.Length);
            if (i % 4000 == 0) Thread.Sleep(2);                              // long enough for the workers to park
        }
        Assert.All(runs, n => Assert.Equal(20_000, n));
    }

    [Fact]
    public void An_exception_reaches_the_caller_and_the_pool_goes_on()
    {
        using var pool = new WorkerPool(2);
        for (var i = 0; i < 50; i++)
        {
            var e = Assert.Throws<InvalidDataException>(() => pool.Run(new Fail(i), 100));
            Assert.Equal($"item {i}", e.Message);
            var runs = new int[10];
            pool.Run(new Count(runs, 2), 10);
            Assert.All(runs, n => Assert.Equal(1, n));
        }
    }

    [Fact]
    public void A_loop_inside_a_loop_is_refused()
    {
        using var pool = new WorkerPool(2);
        Assert.Throws<InvalidOperationException>(() => pool.Run(new Nested(pool), 4));
    }

    [Fact]
    public void A_disposed_pool_has_no_threads_left()
    {
        var pool = new WorkerPool(4);
        var threads = new Thread?[64];
        pool.Run(new Remember(threads), threads.Length);
        pool.Dispose();
        Assert.All(threads, thread => Assert.True(thread == Thread.CurrentThread || !thread!.IsAlive));
        Assert.Throws<ObjectDisposedException>(() => pool.Run(new Remember(threads), 2));
    }

    private readonly struct Count(int[] runs, int threads) : IWork
    {
        public void Run(int item, int worker)
        {
            if ((uint)worker >= (uint)threads) throw new InvalidOperationException($"worker {worker}");
            Interlocked.Increment(ref runs[item]);
        }
    }

    private readonly struct Fail(int at) : IWork
    {
        public void Run(int item, int worker)
        {
            if (item == at) throw new InvalidDataException($"item {item}");
        }
    }

    private readonly struct Nested(WorkerPool pool) : IWork
    {
        public void Run(int item, int worker) => pool.Run(new Fail(-1), 2);
    }

    private readonly struct Remember(Thread?[] threads) : IWork
    {
        public void Run(int item, int worker) => threads[item] = Thread.CurrentThread;
    }
}
