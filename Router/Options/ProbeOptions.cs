namespace NanoAspire.Router.Options;

/// <summary>How engines are asked for their health.</summary>
internal sealed record ProbeOptions
{
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>Interval while the last answer was bad: a dead engine is known to be dead sooner.</summary>
    public TimeSpan SuspectInterval { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);
    /// <summary>Bad answers in a row that take an engine out.</summary>
    public int Down { get; init; } = 3;
    /// <summary>Good answers in a row that bring it back.</summary>
    public int Up { get; init; } = 2;

    public void Validate()
    {
        RouterOptions.Require(Interval > TimeSpan.Zero && SuspectInterval > TimeSpan.Zero, "--probe-interval must be positive");
        RouterOptions.Require(Timeout > TimeSpan.Zero, "the probe timeout must be positive");
        RouterOptions.Require(Down >= 1 && Up >= 1, "the probe's down and up counts must be at least 1");
    }
}
