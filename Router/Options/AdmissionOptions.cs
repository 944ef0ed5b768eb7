namespace NanoAspire.Router.Options;

/// <summary>How much work the router takes before it makes requests wait, and how many may wait.</summary>
internal sealed record AdmissionOptions
{
    /// <summary>Requests of one model being served at a time; 0 means no limit.</summary>
    public int MaxInFlight { get; init; }
    /// <summary>Requests of one model that may wait for a place; further ones get 429 at once.</summary>
    public int QueueLength { get; init; } = 1024;
    public TimeSpan QueueWait { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>Requests a second that one API key may start; 0 means no limit.</summary>
    public double RequestsPerSecond { get; init; }
    /// <summary>Requests one key may start at once after a pause.</summary>
    public int Burst { get; init; } = 20;

    public void Validate()
    {
        RouterOptions.Require(MaxInFlight >= 0, "--max-inflight must not be negative");
        RouterOptions.Require(QueueLength >= 0, "--queue-length must not be negative");
        RouterOptions.Require(QueueWait > TimeSpan.Zero, "--queue-wait must be positive");
        RouterOptions.Require(RequestsPerSecond >= 0 && double.IsFinite(RequestsPerSecond), "--rate-limit must not be negative");
        RouterOptions.Require(Burst >= 1, "--rate-burst must be at least 1");
    }
}
