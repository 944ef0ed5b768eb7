using NanoAspire.Dashboard.Metrics;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Tests.Metrics;

public sealed class MetricTests
{
    private static readonly TelemetryResource Process = new("decode", "a", []);
    private const ulong Second = 1_000_000_000;

    [Fact]
    public void A_counter_grows_over_a_window_and_starts_again_after_a_restart()
    {
        var series = Counter((10, 100), (20, 160), (30, 5), (40, 25));
        Assert.Equal(60, MetricMath.Increase(series, 10 * Second, 20 * Second));
        Assert.Equal(5, MetricMath.Increase(series, 20 * Second, 30 * Second));       // the process began again from zero
        Assert.Equal(20, MetricMath.Increase(series, 30 * Second, 40 * Second));
        Assert.Equal(100, MetricMath.Increase(series, 0, 10 * Second));               // before its first report it was zero
        Assert.Equal(0, MetricMath.Increase(series, 40 * Second, 90 * Second));
    }

    [Fact]
    public void What_was_dropped_is_unknown_and_not_zero()
    {
        var store = new MetricStore(10, 10, maxPoints: 2);
        foreach (var (time, value) in ((ulong, double)[])[(1, 1000), (2, 1010), (3, 1030)]) store.Add([Sum("c", time * Second, value)]);
        var series = store.Find(Process.Key, "c")!.Series[0];
        Assert.True(series.IsCut);
        Assert.Equal(20, MetricMath.Increase(series, 0, 3 * Second));
    }

    [Fact]
    public void Rates_are_per_second_and_absent_where_nothing_was_reported()
    {
        var rates = MetricMath.Rates([Counter((20, 100), (30, 160))], MetricMath.Edges(0, 50 * Second, 5));
        Assert.Equal([null, 10, 6, 0, 0], rates);
    }

    [Fact]
    public void A_repeated_value_takes_no_room_but_keeps_the_series_alive()
    {
        var store = new MetricStore(10, 10, maxPoints: 5);
        for (ulong s = 1; s <= 100; s++) store.Add([Sum("c", s * Second, 7)]);
        var series = store.Find(Process.Key, "c")!.Series[0];
        Assert.Single(series.Points);
        Assert.Equal(7, MetricMath.ValueAt(series, 104 * Second));
        Assert.Null(MetricMath.ValueAt(series, 106 * Second));                        // silent for five intervals
        Assert.Null(MetricMath.ValueAt(series, Second / 2));
    }

    [Fact]
    public void Delta_exports_are_added_up()
    {
        var store = new MetricStore(10, 10, 10);
        store.Add([Sum("c", 1 * Second, 3) with { IsDelta = true }]);
        store.Add([Sum("c", 2 * Second, 4) with { IsDelta = true }]);
        Assert.Equal([3d, 7d], store.Find(Process.Key, "c")!.Series[0].Points.Select(point => point.Value));
    }

    [Fact]
    public void Instruments_and_series_are_bounded()
    {
        var store = new MetricStore(maxInstruments: 2, maxSeries: 3, maxPoints: 10);
        Assert.Equal(1, store.Add([Sum("a", Second, 1), Sum("b", Second, 1), Sum("c", Second, 1)]));
        for (var i = 0; i < 10; i++) store.Add([Sum("a", (ulong)(i + 2) * Second, 1, new OtlpAttribute("id", (long)i))]);
        Assert.Equal(3, store.Find(Process.Key, "a")!.Series.Count);
        Assert.Equal(["a", "b"], store.Instruments(Process.Key).Select(instrument => instrument.Name));
        store.Forget(Process);
        Assert.Empty(store.Instruments(Process.Key));
    }

    [Fact]
    public void Labels_in_another_order_are_the_same_series()
    {
        var store = new MetricStore(10, 10, 10);
        store.Add([Sum("a", Second, 1, new("x", "1"), new("y", "2"))]);
        store.Add([Sum("a", 2 * Second, 2, new("y", "2"), new("x", "1"))]);
        Assert.Equal(2, Assert.Single(store.Find(Process.Key, "a")!.Series).Points.Length);
    }

    [Fact]
    public void Percentiles_come_from_what_the_window_added_over_all_series()
    {
        double[] bounds = [0.1, 0.2, 0.4];
        var one = Histogram(bounds, (1, [100, 0, 0, 0]), (2, [100, 10, 0, 0]));
        var two = Histogram(bounds, (2, [0, 0, 10, 0]));
        var window = MetricMath.Window([one, two], 1 * Second, 2 * Second);
        Assert.Equal([0L, 10L, 10L, 0L], window.Buckets);                             // the hundred before do not count
        Assert.Equal(0.15, window.Percentile(0.25)!.Value, 1e-9);
        Assert.Equal(0.2, window.Percentile(0.5)!.Value, 1e-9);
        Assert.Equal(0.3, window.Percentile(0.75)!.Value, 1e-9);
    }

    [Theory]
    [InlineData(new long[] { 0, 0, 0 }, 0.5, null)]
    [InlineData(new long[] { 4, 0, 0 }, 0.5, 0.5)]                                    // the lowest bucket begins at zero
    [InlineData(new long[] { 0, 0, 5 }, 0.99, 2.0)]                                   // without upper bound: its lower one
    [InlineData(new long[] { 1, 0, 0 }, 1, 1.0)]
    [InlineData(new long[] { 0, 2, 0 }, 0, 1.0)]
    public void Percentiles_at_the_edges(long[] buckets, double percentile, double? expected) =>
        Assert.Equal(expected, new HistogramWindow([1, 2], buckets, 0).Percentile(percentile));

    [Fact]
    public void Histograms_after_a_restart_count_from_zero()
    {
        var series = Histogram([1], (1, [50, 50]), (2, [3, 0]));
        Assert.Equal([3L, 0L], MetricMath.Window([series], 1 * Second, 2 * Second).Buckets);
    }

    private static MetricData Sum(string name, ulong time, double value, params OtlpAttribute[] attributes) => new()
    {
        Resource = Process, Meter = "m", Name = name, Shape = MetricShape.Sum, IsMonotonic = true, Points = [new MetricPointData(time, attributes, value)],
    };

    private static SeriesSnapshot Counter(params (ulong Second, double Value)[] points) =>
        new([], [.. points.Select(p => new MetricPoint(p.Second * Second, p.Value, 0, []))], [], points[^1].Second * Second, 60 * Second, IsCut: false);

    private static SeriesSnapshot Histogram(double[] bounds, params (ulong Second, long[] Buckets)[] points) =>
        new([], [.. points.Select(p => new MetricPoint(p.Second * Second, 0, p.Buckets.Sum(), p.Buckets))], bounds, points[^1].Second * Second, 60 * Second, IsCut: false);
}
