namespace NanoAspire.Hosting.Run;

/// <summary>Whether a process that ended by itself is started again.</summary>
internal static class CrashPolicy
{
    /// <summary>A process without health checks that lasts this long is taken to have started well.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(5);

    /// <summary>Restarts of a process that never became healthy: once more may help, five times will not.</summary>
    private const int AttemptsBeforeHealthy = 2;

    /// <summary>Codes from here on mean that a signal ended the process.</summary>
    private const int FirstSignalCode = 128;

    public readonly record struct Verdict(bool Restart, bool FailedToStart, int Attempts, string? Reason);

    public static RestartPolicyAnnotation Of(IResource resource) =>
        resource.TryGetLastAnnotation<RestartPolicyAnnotation>(out var policy) ? policy : RestartPolicyAnnotation.Never;

    public static Verdict Decide(IResource resource, RestartPolicyAnnotation policy, int code, bool ready, TimeSpan ran, int attempt)
    {
        if (code == 0) return default;
        var hasChecks = resource.HasAnnotationOfType<HealthCheckAnnotation>();
        var started = hasChecks ? ready : ran >= Settled;
        if (!started && code < FirstSignalCode)
        {
            // A program that ends with a code of its own choosing before it ever worked does not like its arguments or its surroundings.
            return hasChecks
                ? new Verdict(Restart: false, FailedToStart: true, 0, $"Exited with code {code} before it was healthy")
                : new Verdict(Restart: false, FailedToStart: false, 0, $"Exited with code {code}");
        }
        var attempts = started ? policy.MaxAttempts : Math.Min(AttemptsBeforeHealthy, policy.MaxAttempts);
        if (attempt < attempts) return new Verdict(Restart: true, FailedToStart: false, attempts, null);
        return new Verdict(Restart: false, FailedToStart: !started && hasChecks, attempts,
            attempts == 0 ? $"Exited with code {code}" : $"Exited with code {code} after {attempts} restarts");
    }
}
