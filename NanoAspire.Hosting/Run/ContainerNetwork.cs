using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace NanoAspire.Hosting.Run;

/// <summary>
/// The network that the containers of one application share, and their way to the processes of this machine. Containers find each other by
/// name. Processes listen on the loopback interface only, so what a container refers to is forwarded from the network's gateway, port by port;
/// where the gateway is no address of this machine (a virtual machine runs the containers), the runtime's own way to the host has to do.
/// </summary>
internal sealed class ContainerNetwork(string runtime, string name, bool keep, IReadOnlySet<IResource> members, Action<string> warn) : IAsyncDisposable
{
    /// <summary>The name under which every container sees this machine.</summary>
    public const string HostName = "host.docker.internal";

    private const string RuntimesOwnGateway = "host-gateway";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _gate = new(1);
    private readonly Dictionary<int, TcpProxy?> _forwarders = [];
    private IPAddress? _gateway;
    private bool _ready;

    public string Name => name;

    /// <summary>What <see cref="HostName"/> stands for inside.</summary>
    public string HostAddress => _gateway?.ToString() ?? RuntimesOwnGateway;

    /// <summary>Whether the resource runs as a container of this network; Redis may be a process instead.</summary>
    public bool Has(IResource resource) => members.Contains(resource);

    public static string AliasOf(IResource container) => $"{container.Name}.dev.internal";

    /// <exception cref="DistributedApplicationException">The runtime makes no network.</exception>
    public async Task EnsureAsync(CancellationToken ct)
    {
        await _gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_ready) return;
            var (code, text) = await ContainerRuntime.RunAsync(runtime, ["network", "inspect", name], Limit, ct).ConfigureAwait(false);
            if (code != 0)
            {
                (code, text) = await ContainerRuntime.RunAsync(runtime, ["network", "create", name], Limit, ct).ConfigureAwait(false);
                if (code != 0) throw new DistributedApplicationException($"the container network '{name}' cannot be created: {text.Trim()}");
                (code, text) = await ContainerRuntime.RunAsync(runtime, ["network", "inspect", name], Limit, ct).ConfigureAwait(false);
            }
            _gateway = code == 0 ? GatewayIn(text) : null;
            _ready = true;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Lets containers connect to a port that a process has, or will have, on the loopback interface.</summary>
    public void Expose(int port)
    {
        if (_gateway is null) return;
        lock (_forwarders)
        {
            if (_forwarders.ContainsKey(port)) return;
            var address = _gateway.ToString();
            var forwarder = PortReservation.TryFixed(address, port) is { } reservation ? TcpProxy.Start(address, reservation) : null;
            forwarder?.Add(port);
            _forwarders[port] = forwarder;
            if (forwarder is null) warn($"Port {port} is taken on {address}: containers may not reach what listens on it here.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        TcpProxy?[] forwarders;
        lock (_forwarders)
        {
            forwarders = [.. _forwarders.Values];
            _forwarders.Clear();
        }
        foreach (var forwarder in forwarders.OfType<TcpProxy>()) await forwarder.DisposeAsync().ConfigureAwait(false);
        if (!_ready || keep) return;
        _ready = false;
        var (code, text) = await ContainerRuntime.RunAsync(runtime, ["network", "rm", name], Limit, CancellationToken.None).ConfigureAwait(false);
        if (code != 0) warn($"The container network '{name}' was not removed: {text.Trim()}");
    }

    /// <summary>docker and podman nest it differently and agree on the word.</summary>
    private static IPAddress? GatewayIn(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return Find(document.RootElement) is { } address && IsOurs(address) ? address : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static IPAddress? Find(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().Select(Find).FirstOrDefault(found => found is not null),
        JsonValueKind.Object => element.EnumerateObject().Select(p => p.Name.Equals("gateway", StringComparison.OrdinalIgnoreCase) && p.Value.ValueKind == JsonValueKind.String &&
            IPAddress.TryParse(p.Value.GetString(), out var address) && address.AddressFamily == AddressFamily.InterNetwork ? address : Find(p.Value)).FirstOrDefault(found => found is not null),
        _ => null,
    };

    private static bool IsOurs(IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
