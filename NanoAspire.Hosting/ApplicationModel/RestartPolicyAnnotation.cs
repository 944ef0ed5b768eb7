namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// How often a crashed process is started again before the resource counts as failed. The first delay doubles with each
/// attempt up to the longest; a stretch of good health starts the count anew.
/// </summary>
internal sealed record RestartPolicyAnnotation(int MaxAttempts = 5) : IResourceAnnotation
{
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(30);
    public TimeSpan GoodHealth { get; init; } = TimeSpan.FromSeconds(60);

    public static RestartPolicyAnnotation Never { get; } = new(0);

    public TimeSpan DelayBefore(int attempt) =>
        TimeSpan.FromTicks(Math.Min(LongestDelay.Ticks, FirstDelay.Ticks << Math.Min(attempt - 1, 20)));
}
