using NanoAspire.Protocol.Wire;

namespace NanoAspire.Router.Options;

/// <summary>Everything a router process is told at start; nothing is read from configuration afterwards.</summary>
internal sealed record RouterOptions
{
    /// <summary>Interface to listen on; loopback unless told otherwise.</summary>
    public string Host { get; init; } = "127.0.0.1";
    /// <summary>Null leaves the choice to the host's own configuration, and to 8080 where that says nothing.</summary>
    public int? Port { get; init; }

    /// <summary>Control plane, as <c>host:port</c> or a URL; null means engines come from <see cref="Engines"/> and <c>/nodes/add</c> alone.</summary>
    public string? CtrlAddress { get; init; }
    public string? CtrlScope { get; init; }
    /// <summary>Bearer token, where the control plane asks for one.</summary>
    public string? CtrlToken { get; init; }
    /// <summary>Engines given by hand. Those without models are asked for them.</summary>
    public IReadOnlyList<EngineDescriptor> Engines { get; init; } = [];

    /// <summary>Keys that open <c>/v1</c> and <c>/nodes</c>; none means open to everybody.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = [];
    /// <summary>When set, <c>/nodes</c> takes these instead of <see cref="ApiKeys"/>.</summary>
    public IReadOnlyList<string> AdminKeys { get; init; } = [];
    /// <summary>Passes the client's Authorization header on to engines; off, since engines rarely share the router's keys.</summary>
    public bool ForwardAuthorization { get; init; }

    public StrategyOptions Strategy { get; init; } = new();
    public AdmissionOptions Admission { get; init; } = new();
    public BreakerOptions Breaker { get; init; } = new();
    public ProbeOptions Probe { get; init; } = new();
    public DeadlineOptions Deadlines { get; init; } = new();

    public ParsingOptions Parsing { get; init; } = new();
    public ImageOptions Images { get; init; } = new();

    public long MaxBodyBytes { get; init; } = 32L << 20;
    public int MaxJsonDepth { get; init; } = 64;
    /// <summary>Further engines tried when one fails before anything reached the client.</summary>
    public int Retries { get; init; } = 2;
    /// <summary>How often a stream may go on at another engine when its own breaks off; 0 ends it with an error event.</summary>
    public int Moves { get; init; } = 1;
    /// <summary>Serve from hybrid engines when prefill or decode engines are missing or all fail.</summary>
    public bool HybridFallback { get; init; } = true;
    /// <summary>How long running requests may take to finish when the process is told to stop.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <exception cref="ArgumentException">A value is out of range or two contradict each other; the message names them.</exception>
    public void Validate()
    {
        Require(Port is null or (>= 0 and <= 65535), "--port must be between 0 and 65535");
        Require(MaxBodyBytes > 0, "--max-body-size must be positive");
        Require(MaxJsonDepth is > 0 and <= 64, "the JSON depth limit must be between 1 and 64");
        Require(Retries is >= 0 and <= 10, "--retries must be between 0 and 10");
        Require(Moves is >= 0 and <= 10, "--migration-limit must be between 0 and 10");
        Require(DrainTimeout >= TimeSpan.Zero, "--drain-timeout must not be negative");
        Require(ApiKeys.Concat(AdminKeys).All(key => key.Length > 0), "an API key is empty");
        Strategy.Validate();
        Admission.Validate();
        Breaker.Validate();
        Probe.Validate();
        Deadlines.Validate();
        Parsing.Validate();
        Images.Validate();
    }

    internal static void Require(bool holds, string otherwise)
    {
        if (!holds) throw new ArgumentException(otherwise);
    }
}
