namespace NanoAspire.Dashboard.Tests.Demo;

/// <summary>A clock that stands still until it is moved, in UTC. Its timers are real: only what is shown depends on it.</summary>
internal sealed class FixedTime(DateTimeOffset now) : TimeProvider
{
    private long _ticks = now.UtcTicks;

    public static DateTimeOffset Noon { get; } = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}
