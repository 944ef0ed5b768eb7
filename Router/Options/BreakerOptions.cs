namespace NanoAspire.Router.Options;

/// <summary>When an engine that fails requests is left alone for a while.</summary>
internal sealed record BreakerOptions
{
    /// <summary>Failures in a row that open the breaker.</summary>
    public int Failures { get; init; } = 5;
    /// <summary>How long it stays open before single requests try again.</summary>
    public TimeSpan OpenFor { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>Successes in a row that close it.</summary>
    public int Successes { get; init; } = 2;

    public void Validate()
    {
        RouterOptions.Require(Failures >= 1, "--breaker-failures must be at least 1");
        RouterOptions.Require(OpenFor > TimeSpan.Zero, "the breaker's open time must be positive");
        RouterOptions.Require(Successes >= 1, "the breaker's successes must be at least 1");
    }
}
