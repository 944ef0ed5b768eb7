namespace NanoAspire.Benchmarks.Routing;

/// <summary>The simulation's clock: it stands still until the simulation moves it.</summary>
internal sealed class VirtualTime : TimeProvider
{
    private TimeSpan _now;

    public TimeSpan Now => _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + _now;

    public void MoveTo(TimeSpan now) => _now = now;
}
