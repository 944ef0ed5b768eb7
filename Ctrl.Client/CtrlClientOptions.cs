namespace NanoAspire.Ctrl.Client;

/// <summary>Where the control plane is and how this process speaks to it.</summary>
public sealed class CtrlClientOptions
{
    /// <summary><c>host:port</c> or an http(s) URL; a service name such as <c>http://ctrl</c> works where service discovery is configured.</summary>
    public string Address { get; set; } = "http://127.0.0.1:4479";

    /// <summary>Tenant; null or empty is the unscoped one.</summary>
    public string? Scope { get; set; }

    /// <summary>Bearer token, when the control plane asks for one.</summary>
    public string? Token { get; set; }

    /// <summary>A quarter of the lease that the control plane grants.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Longest wait for one call.</summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest pause between attempts while the control plane is away.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the directory lists engines when the control plane cannot push changes.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often it lists engines even though changes are pushed.</summary>
    public TimeSpan PushedPollInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>After an outage, how long an engine that is missing from the list is kept: the control plane may have forgotten everyone, and they come back with their next heartbeat.</summary>
    public TimeSpan ReturnGrace { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Kinds of entity that are engines.</summary>
    public IList<string> EngineKinds { get; } = ["dlengine", "nanodeploy"];

    /// <summary>Also list engines of the first-generation API. Off by default: most of them do not serve HTTP on their registered port.</summary>
    public bool IncludeEngineApi { get; set; }

    /// <summary>Base URL without trailing slash.</summary>
    /// <exception cref="InvalidOperationException">The address is empty or not an http(s) URL.</exception>
    internal string BaseUrl
    {
        get
        {
            var text = Address.Trim();
            if (!text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) && !text.StartsWith("https://", StringComparison.OrdinalIgnoreCase)) text = "http://" + text;
            text = text.TrimEnd('/');
            if (!Uri.TryCreate(text, UriKind.Absolute, out _)) throw new InvalidOperationException($"The control plane address '{Address}' is not host:port or a URL");
            return text;
        }
    }
}
