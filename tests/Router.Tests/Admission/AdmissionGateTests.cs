using NanoAspire.Router.Admission;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Admission;

public sealed class AdmissionGateTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Waiters_go_by_priority_and_then_in_order()
    {
        var gate = Gate(places: 1, queue: 10);
        var (first, _) = await gate.EnterAsync("m", 0, default);
        var entered = new List<string>();
        var waiting = new[] { ("low", -1), ("normal1", 0), ("high", 1), ("normal2", 0) }.Select(async entry =>
        {
            var (place, _) = await gate.EnterAsync("m", entry.Item2, default);
            lock (entered) entered.Add(entry.Item1);
            place!.Dispose();
        }).ToArray();
        Assert.Equal(4, gate.Waiting);
        first!.Dispose();
        await Task.WhenAll(waiting);
        Assert.Equal(["high", "normal1", "normal2", "low"], entered);
    }

    [Fact]
    public async Task Models_do_not_wait_for_each_other()
    {
        var gate = Gate(places: 1, queue: 0);
        Assert.NotNull((await gate.EnterAsync("a", 0, default)).Place);
        Assert.NotNull((await gate.EnterAsync("b", 0, default)).Place);
        Assert.Equal("queue_full", (await gate.EnterAsync("a", 0, default)).Refusal!.Code);
    }

    [Fact]
    public async Task Waiting_ends_in_time()
    {
        var gate = Gate(places: 1, queue: 1);
        await gate.EnterAsync("m", 0, default);
        var waiting = gate.EnterAsync("m", 0, default);
        _time.Advance(TimeSpan.FromSeconds(30));
        var (_, refusal) = await waiting;
        Assert.Equal((429, "queue_timeout"), (refusal!.Status, refusal.Code));
        Assert.Equal(0, gate.Waiting);
    }

    [Fact]
    public async Task Under_many_comings_and_goings_no_place_is_lost_or_made()
    {
        var gate = new AdmissionGate(new AdmissionOptions { MaxInFlight = 3, QueueLength = 1000 }, TimeProvider.System);
        var (inside, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 500).Select(async i =>
        {
            using var leave = new CancellationTokenSource();
            if (i % 3 == 0) leave.CancelAfter(TimeSpan.FromMilliseconds(i % 7));
            try
            {
                var (place, _) = await gate.EnterAsync("m", i % 3 - 1, leave.Token);
                var now = Interlocked.Increment(ref inside);
                InterlockedMax(ref most, now);
                await Task.Yield();
                Interlocked.Decrement(ref inside);
                place!.Dispose();
            }
            catch (OperationCanceledException)
            {
                // Left.
            }
        }));
        Assert.InRange(most, 1, 3);
        Assert.Equal(0, gate.Waiting);
        for (var i = 0; i < 3; i++) Assert.NotNull((await gate.EnterAsync("m", 0, default)).Place);
        Assert.False(gate.EnterAsync("m", 0, default).IsCompleted);
    }

    [Fact]
    public void A_keys_bucket_fills_with_time()
    {
        var limiter = new RateLimiter(new AdmissionOptions { RequestsPerSecond = 2, Burst = 3 }, _time);
        for (var i = 0; i < 3; i++) Assert.Null(limiter.TryStart("k"));
        var refusal = limiter.TryStart("k");
        Assert.Equal((429, TimeSpan.FromSeconds(0.5)), (refusal!.Status, refusal.RetryAfter!.Value));
        Assert.Null(limiter.TryStart("other"));
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Null(limiter.TryStart("k"));
        Assert.NotNull(limiter.TryStart("k"));
    }

    private AdmissionGate Gate(int places, int queue) => new(new AdmissionOptions { MaxInFlight = places, QueueLength = queue }, _time);

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
            // Somebody else raised it.
        }
    }
}
