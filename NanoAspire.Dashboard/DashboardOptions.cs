namespace NanoAspire.Dashboard;

/// <summary>Where the dashboard listens, who may look, and how much it remembers.</summary>
public sealed class DashboardOptions
{
    /// <summary>Shown as the title.</summary>
    public string ApplicationName { get; set; } = "NanoAspire";

    /// <summary>Address to bind: <c>localhost</c>, an IP address, or <c>*</c> for every interface.</summary>
    public string Host { get; set; } = "localhost";

    /// <summary>Port of the pages; 0, or a port that is taken, means any free one.</summary>
    public int Port { get; set; } = 18888;

    /// <summary>Port of the OTLP/HTTP receiver; 0, or a port that is taken, means any free one.</summary>
    public int OtlpPort { get; set; } = 18890;

    /// <summary>Port of the OTLP/gRPC receiver (HTTP/2 without TLS); null means none, 0 or a port that is taken any free one.</summary>
    public int? OtlpGrpcPort { get; set; }

    /// <summary>Login token of the browser; generated when null.</summary>
    public string? BrowserToken { get; set; }

    /// <summary>Key that senders of telemetry present as <c>x-otlp-api-key</c>; generated when null.</summary>
    public string? OtlpApiKey { get; set; }

    /// <summary>A second valid key, for rotation.</summary>
    public string? OtlpSecondaryApiKey { get; set; }

    /// <summary>Key of the telemetry API (<c>X-API-Key</c>); the OTLP key when null.</summary>
    public string? ApiKey { get; set; }

    /// <summary>No login and no keys. For throw-away environments only.</summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>Traces kept; the one begun longest ago goes first.</summary>
    public int MaxTraces { get; set; } = 10_000;

    /// <summary>Spans kept over all traces.</summary>
    public int MaxSpans { get; set; } = 50_000;

    /// <summary>Log records kept.</summary>
    public int MaxLogs { get; set; } = 10_000;

    /// <summary>Changes kept of one metric series (a value that repeats is one change).</summary>
    public int MaxPointsPerSeries { get; set; } = 1_000;

    /// <summary>Label sets kept of one instrument of one resource.</summary>
    public int MaxSeriesPerInstrument { get; set; } = 128;

    /// <summary>Instruments kept of one resource.</summary>
    public int MaxInstruments { get; set; } = 512;

    /// <summary>Processes whose telemetry is kept; the one silent longest goes first.</summary>
    public int MaxResources { get; set; } = 128;

    /// <summary>Largest OTLP request, compressed or not.</summary>
    public int MaxRequestBytes { get; set; } = 4 << 20;
}
