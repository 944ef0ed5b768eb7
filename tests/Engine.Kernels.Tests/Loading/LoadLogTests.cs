using Microsoft.Extensions.Logging;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

public sealed class LoadLogTests
{
    [Fact]
    public void A_line_every_few_seconds_and_none_at_the_end()
    {
        var (logger, time) = (new Lines(), new SteppedTime());
        var log = new LoadLog(logger, time);
        log.Report(new(1 << 20, 10 << 20));
        Assert.Empty(logger.Seen);
        for (var i = 2; i < 10; i++)
        {
            time.Advance(LoadLog.Interval / 2);
            log.Report(new(i << 20, 10 << 20));
        }
        time.Advance(LoadLog.Interval);
        log.Report(new(10 << 20, 10 << 20));
        Assert.Equal(["Loading weights: 30% (3 of 10 MiB)", "Loading weights: 50% (5 of 10 MiB)", "Loading weights: 70% (7 of 10 MiB)", "Loading weights: 90% (9 of 10 MiB)"], logger.Seen);
    }

    private sealed class Lines : ILogger
    {
        public List<string> Seen { get; } = [];
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Seen.Add(formatter(state, exception));
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks;
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => _ticks;
        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
