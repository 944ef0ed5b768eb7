using System.Net.Sockets;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something a resource listens on. <see cref="Port"/> is what others connect to, <see cref="TargetPort"/> what the process binds.</summary>
public sealed class EndpointAnnotation : IResourceAnnotation
{
    private readonly TaskCompletionSource<AllocatedEndpoint> _allocation = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int? _port;
    private int? _targetPort;
    private string? _transport;

    public EndpointAnnotation(ProtocolType protocol, string? uriScheme = null, string? transport = null, string? name = null,
        int? port = null, int? targetPort = null, bool? isExternal = null, bool isProxied = true)
    {
        Protocol = protocol;
        UriScheme = uriScheme ?? protocol.ToString().ToLowerInvariant();
        _transport = transport;
        Name = name ?? UriScheme;
        ModelName.Validate("Endpoint", Name);
        _port = port;
        _targetPort = targetPort;
        IsExternal = isExternal ?? false;
        IsProxied = isProxied;
    }

    public string Name { get; set; }
    public ProtocolType Protocol { get; set; }
    public string UriScheme { get; set; }
    public string TargetHost { get; set; } = "localhost";
    public bool IsExternal { get; set; }
    public bool IsProxied { get; set; }

    /// <summary>Where nothing stands between client and process, the two ports are one and either may be given.</summary>
    public int? Port
    {
        get => _port ?? (IsProxied ? null : _targetPort);
        set => _port = value;
    }

    /// <inheritdoc cref="Port"/>
    public int? TargetPort
    {
        get => _targetPort ?? (IsProxied ? null : _port);
        set => _targetPort = value;
    }

    public string Transport
    {
        get => _transport ?? (UriScheme is "http" or "https" ? "http" : Protocol.ToString().ToLowerInvariant());
        set => _transport = value;
    }

    /// <summary>The address in this run; null until ports have been given out. It is given once and stays.</summary>
    public AllocatedEndpoint? AllocatedEndpoint
    {
        get => _allocation.Task.IsCompletedSuccessfully ? _allocation.Task.Result : null;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (!_allocation.TrySetResult(value)) throw new InvalidOperationException($"Endpoint '{Name}' is already allocated.");
        }
    }

    internal bool IsHttp => UriScheme is "http" or "https";

    /// <summary>The variable that carries the target port, from <c>WithHttpEndpoint(env: …)</c>.</summary>
    internal string? TargetPortEnvironmentVariable { get; set; }

    /// <summary>Whether a launch profile declared it and not the program.</summary>
    internal bool FromLaunchProfile { get; init; }

    internal Task<AllocatedEndpoint> WaitForAllocationAsync(CancellationToken ct) => _allocation.Task.WaitAsync(ct);

    internal void FailAllocation(string reason)
    {
        _allocation.TrySetException(new DistributedApplicationException(reason));
        _ = _allocation.Task.Exception;                          // nobody may ever ask
    }
}
