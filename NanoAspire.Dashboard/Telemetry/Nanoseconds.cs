namespace NanoAspire.Dashboard.Telemetry;

/// <summary>OTLP times. .NET counts in 100 ns, which is finer than any clock compared here.</summary>
internal static class Nanoseconds
{
    private const ulong PerTick = 100;

    public static TimeSpan ToSpan(ulong nanoseconds) => TimeSpan.FromTicks((long)Math.Min(nanoseconds / PerTick, long.MaxValue));

    /// <summary>Clamped to what a date can hold.</summary>
    public static DateTimeOffset ToTime(ulong nanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks((long)Math.Min(nanoseconds / PerTick, (ulong)(DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch).Ticks));

    public static ulong From(DateTimeOffset time) => time <= DateTimeOffset.UnixEpoch ? 0 : (ulong)(time - DateTimeOffset.UnixEpoch).Ticks * PerTick;
}
