using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Server.Hosting;

namespace NanoAspire.Engine.Server.Tests;

public sealed class LoadBarTests
{
    private readonly StringWriter _terminal = new();
    private readonly SteppedTime _time = new();

    [Fact]
    public void The_bar_grows_in_place_and_goes_away()
    {
        var bar = new LoadBar(_terminal, _time);
        bar.Report(new(1L << 30, 4L << 30));
        _time.Advance(LoadBar.Interval);
        bar.Report(new(3L << 30, 4L << 30));
        bar.Report(new(4L << 30, 4L << 30));
        var lines = _terminal.ToString().Split('\r');
        Assert.Equal(5, lines.Length);
        Assert.Equal("Loading weights [#######.......................]  25% of 4.0 GiB", lines[1]);
        Assert.Equal("Loading weights [######################........]  75% of 4.0 GiB", lines[2]);
        Assert.Equal(new string(' ', lines[2].Length), lines[3]);
        Assert.DoesNotContain('\n', _terminal.ToString());
    }

    [Fact]
    public void Reports_that_follow_too_closely_are_not_drawn()
    {
        var bar = new LoadBar(_terminal, _time);
        for (var i = 0; i < 100; i++) bar.Report(new(i, 100));
        Assert.Equal(2, _terminal.ToString().Split('\r').Length);
    }

    [Fact]
    public void A_model_that_is_there_at_once_draws_nothing()
    {
        new LoadBar(_terminal, _time).Report(new(5, 5));
        Assert.Empty(_terminal.ToString());
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks;
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => _ticks;
        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
