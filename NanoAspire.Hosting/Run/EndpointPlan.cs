using NanoAspire.Hosting.Redis;

namespace NanoAspire.Hosting.Run;

/// <summary>
/// The addresses of one resource in this run. An endpoint with a single instance is bound by that process itself, at the public port;
/// with replicas, or a target port of its own, a proxy owns the public port.
/// </summary>
internal sealed class EndpointPlan : IAsyncDisposable
{
    private readonly IResource _resource;
    private readonly Dictionary<string, TcpProxy> _proxies = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, PortReservation> _reserved = new(StringComparer.OrdinalIgnoreCase);

    private EndpointPlan(IResource resource) => _resource = resource;

    /// <param name="resource">A resource with instances.</param>
    /// <param name="randomizePorts">Whether fixed ports of proxied endpoints are ignored, as tests want it.</param>
    /// <param name="warn">Told in one line when a fixed port is taken and another one is used.</param>
    /// <exception cref="DistributedApplicationException">The endpoints contradict each other or the number of replicas, or a port is taken that may not change.</exception>
    public static EndpointPlan Allocate(IResource resource, bool randomizePorts, Action<string> warn)
    {
        var plan = new EndpointPlan(resource);
        if (!resource.TryGetEndpoints(out var endpoints)) return plan;
        var isContainer = resource.IsContainer() && resource is not RedisResource;
        foreach (var endpoint in endpoints)
        {
            Check(resource, endpoint, isContainer);
            CheckReplicas(resource, endpoint, resource.GetReplicaCount());
            if ((isContainer || (resource is RedisResource && RedisProcess.FindServer() is null)) && PersistentContainer.IsPersistent(resource))
            {
                // Its own container may be running with that port already: the same one in every run, and nobody else to ask.
                endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", endpoint.Port ?? PortReservation.Stable($"{resource.Name}/{endpoint.Name}"));
                continue;
            }
            var reservation = Reserve(resource, endpoint, randomizePorts && endpoint.IsProxied, warn);
            if (NeedsProxy(resource, endpoint)) plan._proxies[endpoint.Name] = TcpProxy.Start(endpoint.TargetHost, reservation);
            else plan._reserved[endpoint.Name] = reservation;
            endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", reservation.Port);
        }
        return plan;
    }

    /// <exception cref="DistributedApplicationException">So many instances cannot share the endpoints.</exception>
    public static void CheckReplicas(IResource resource, int replicas)
    {
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>()) CheckReplicas(resource, endpoint, replicas);
    }

    /// <summary>Gives an instance the ports that it is to bind; they stay reserved until <see cref="Release"/>.</summary>
    public void Assign(ResourceInstance instance)
    {
        var ports = instance.TargetPorts.Clear();
        foreach (var endpoint in Endpoints())
        {
            if (!_proxies.ContainsKey(endpoint.Name))
            {
                ports = ports.Add(endpoint.Name, endpoint.AllocatedEndpoint!.Port);
                continue;
            }
            if (endpoint.TargetPort is { } fixedPort)
            {
                ports = ports.Add(endpoint.Name, fixedPort);
                continue;
            }
            var reservation = PortReservation.Any(endpoint.TargetHost);
            lock (_reserved) _reserved[Key(endpoint, instance)] = reservation;
            ports = ports.Add(endpoint.Name, reservation.Port);
        }
        instance.TargetPorts = ports;
    }

    /// <summary>Frees the ports of an instance for the process that starts now.</summary>
    public void Release(ResourceInstance instance)
    {
        lock (_reserved)
        {
            foreach (var endpoint in Endpoints())
            {
                if (_reserved.Remove(endpoint.Name, out var whole)) whole.Dispose();
                if (_reserved.Remove(Key(endpoint, instance), out var own)) own.Dispose();
            }
        }
    }

    /// <summary>Lets the proxies send connections to the instance.</summary>
    public void Open(ResourceInstance instance)
    {
        foreach (var (name, proxy) in _proxies) proxy.Add(instance.TargetPorts[name]);
    }

    public void Close(ResourceInstance instance)
    {
        foreach (var (name, proxy) in _proxies)
        {
            if (instance.TargetPorts.TryGetValue(name, out var port)) proxy.Remove(port);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies.Values) await proxy.DisposeAsync().ConfigureAwait(false);
        lock (_reserved)
        {
            foreach (var reservation in _reserved.Values) reservation.Dispose();
            _reserved.Clear();
        }
    }

    private IEnumerable<EndpointAnnotation> Endpoints() => _resource.Annotations.OfType<EndpointAnnotation>();
    private static string Key(EndpointAnnotation endpoint, ResourceInstance instance) => $"{endpoint.Name}/{instance.Id}";

    private static bool NeedsProxy(IResource resource, EndpointAnnotation endpoint) =>
        endpoint.IsProxied && resource is ProjectResource or ExecutableResource && (resource.HasAnnotationOfType<ReplicaAnnotation>() || endpoint.TargetPort is not null);

    private static PortReservation Reserve(IResource resource, EndpointAnnotation endpoint, bool anyPort, Action<string> warn)
    {
        if (anyPort || endpoint.Port is not { } wanted) return PortReservation.Any(endpoint.TargetHost);
        if (PortReservation.TryFixed(endpoint.TargetHost, wanted) is { } reservation) return reservation;
        if (!endpoint.IsProxied) throw new DistributedApplicationException($"Port {wanted} of endpoint '{endpoint.Name}' of '{resource.Name}' is in use.");
        var other = PortReservation.Any(endpoint.TargetHost);
        warn($"Port {wanted} is in use: endpoint '{endpoint.Name}' of '{resource.Name}' listens on {other.Port} instead.");
        return other;
    }

    private static void CheckReplicas(IResource resource, EndpointAnnotation endpoint, int replicas)
    {
        if (replicas <= 1) return;
        var where = $"endpoint '{endpoint.Name}' of '{resource.Name}'";
        if (!endpoint.IsProxied) throw new DistributedApplicationException($"Replicas cannot share the port of {where}, which is not proxied.");
        if (endpoint.TargetPort is not null) throw new DistributedApplicationException($"Replicas cannot share the target port {endpoint.TargetPort} of {where}.");
    }

    private static void Check(IResource resource, EndpointAnnotation endpoint, bool isContainer)
    {
        var where = $"endpoint '{endpoint.Name}' of '{resource.Name}'";
        if (isContainer && endpoint.TargetPort is null) throw new DistributedApplicationException($"The {where} needs a target port: the container listens on it.");
        if (!endpoint.IsProxied && endpoint.Port != endpoint.TargetPort) throw new DistributedApplicationException($"The {where} is not proxied, so its port and target port must be the same.");
        if (resource is ProjectResource or ExecutableResource && endpoint.IsProxied && endpoint.Port is { } port && port == endpoint.TargetPort)
        {
            throw new DistributedApplicationException($"The {where} is proxied, so its port and target port must differ.");
        }
    }
}
