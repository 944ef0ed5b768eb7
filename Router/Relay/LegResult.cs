namespace NanoAspire.Router.Relay;

/// <param name="Status">How it ended.</param>
/// <param name="Reason">For the log: what went wrong.</param>
/// <param name="Busy">The engine said 503: not broken, but not taking work.</param>
internal sealed record LegResult(LegStatus Status, string? Reason = null, bool Busy = false)
{
    public static readonly LegResult Completed = new(LegStatus.Completed);
    public static readonly LegResult Refused = new(LegStatus.Refused);

    /// <summary>Whether another engine may be tried.</summary>
    public bool Retryable => Status is LegStatus.HandoffRefused or LegStatus.SlotsLost or LegStatus.Unreachable or LegStatus.Failed or LegStatus.Died or LegStatus.TimedOut;
}
