using System.Globalization;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace NanoAspire.Hosting.Publishing.Kubernetes;

/// <summary>Fills the objects of one resource: workload, configuration, service, storage.</summary>
internal sealed class KubernetesObjects(KubernetesResource target, HelmValues values, DistributedApplicationExecutionContext execution)
{
    private const int RevisionHistory = 3;
    private readonly IResource _resource = target.TargetResource;
    private readonly KubernetesEnvironmentResource _environment = target.Parent;
    private readonly HelmTranslator _translator = new(values, target.TargetResource);

    public async Task FillAsync(CancellationToken ct)
    {
        var ports = Ports();
        var container = new ContainerV1
        {
            Name = _resource.Name.ToLowerInvariant(),
            Image = Image(),
            ImagePullPolicy = PullPolicy(),
            SecurityContext = ContainerDefaults.Security(_resource),
        };
        if (_resource is ContainerResource { Entrypoint: { Length: > 0 } entrypoint }) container.Command.Add(entrypoint);
        foreach (var argument in await PublishedValues.ArgumentsAsync(_resource, execution, ct).ConfigureAwait(false)) container.Args.Add(_translator.Translate(argument).Text);
        foreach (var (name, port, _) in ports) container.Ports.Add(new() { Name = name, Protocol = "TCP", ContainerPort = Number(port) });
        ContainerDefaults.AddProbes(container, _resource);
        await AddEnvironmentAsync(container, ct).ConfigureAwait(false);

        var pods = new PodTemplateSpecV1 { Metadata = { Labels = Labels() } };
        pods.Spec.Containers.Add(container);
        pods.Spec.SecurityContext = ContainerDefaults.PodSecurity();
        target.Workload = _resource is IResourceWithConnectionString ? Stateful(pods) : Stateless(pods);
        StorageObjects.Add(target, pods.Spec, container, Labels);
        if (ports.Count > 0) target.Service = Service(ports);
    }

    /// <summary>Endpoints that get a port. A project's default https endpoint does not: TLS ends in front of the cluster.</summary>
    private List<(string Name, string Port, ResolvedEndpoint Endpoint)> Ports()
    {
        var endpoints = _resource.ResolveEndpoints();
        var plain = endpoints.Any(e => e.Endpoint.UriScheme == "http");
        return [.. endpoints.Where(e => !(plain && e.Endpoint.UriScheme == "https" && e.TargetPort.Value is null))
            .Select(e => (e.Endpoint.Name.ToLowerInvariant(), HelmTranslator.Port(values, _resource, e), e))];
    }

    private string Image()
    {
        if (_resource is not ProjectResource && !_resource.HasAnnotationOfType<DockerfileBuildAnnotation>())
        {
            return _resource.TryGetContainerImageName(out var image) ? image : throw new DistributedApplicationException($"Container '{_resource.Name}' has no image.");
        }
        var name = _resource.Name.ToLowerInvariant();
        return $"{{{{ {values.Parameter(_resource, $"{HelmValues.Key(name)}_image", $"{name}:latest")} }}}}";
    }

    private string PullPolicy() => _resource.TryGetLastAnnotation<ContainerImagePullPolicyAnnotation>(out var policy)
        ? policy.ImagePullPolicy switch
        {
            ImagePullPolicy.Always => "Always",
            ImagePullPolicy.Missing => "IfNotPresent",
            _ => _environment.DefaultImagePullPolicy,
        }
        : _environment.DefaultImagePullPolicy;

    /// <summary>Plain variables go into a config map, those with a secret in them into a secret; the container takes all of both.</summary>
    private async Task AddEnvironmentAsync(ContainerV1 container, CancellationToken ct)
    {
        var map = new ConfigMap { Metadata = { Name = KubernetesNames.Object(_resource, "config"), Labels = Labels() } };
        var secret = new Secret { Type = "Opaque", Metadata = { Name = KubernetesNames.Object(_resource, "secrets"), Labels = Labels() } };
        var (config, secrets) = (map.Data, secret.StringData);
        foreach (var (name, value) in await PublishedValues.EnvironmentAsync(_resource, execution, ct).ConfigureAwait(false))
        {
            var text = _translator.Translate(value);
            if (text.IsSecret) secrets[name] = text.Text;
            else config[name] = text.IsLiteral ? $"{{{{ {values.Literal(_resource, name, value as string ?? text.Text)} }}}}" : text.Text;
        }
        if (_resource.HasAnnotationOfType<OtlpExporterAnnotation>()) AddTelemetry(config);
        if (config.Count > 0)
        {
            target.ConfigMap = map;
            container.EnvFrom.Add(new() { ConfigMapRef = new() { Name = map.Metadata.Name } });
        }
        if (secrets.Count > 0)
        {
            target.Secret = secret;
            container.EnvFrom.Add(new() { SecretRef = new() { Name = secret.Metadata.Name } });
        }
    }

    private void AddTelemetry(Dictionary<string, string> config)
    {
        config.TryAdd("OTEL_SERVICE_NAME", $"{{{{ {values.Literal(_resource, "OTEL_SERVICE_NAME", _resource.Name)} }}}}");
        config.TryAdd("OTEL_EXPORTER_OTLP_ENDPOINT", $"{{{{ {values.Parameter("otel_endpoint", "")} }}}}");
        config.TryAdd("OTEL_EXPORTER_OTLP_PROTOCOL", $"{{{{ {values.Parameter("otel_protocol", "http/protobuf")} }}}}");
    }

    private Deployment Stateless(PodTemplateSpecV1 pods) => new()
    {
        Metadata = { Name = KubernetesNames.Object(_resource, "deployment"), Labels = Labels() },
        Spec =
        {
            Template = pods,
            Selector = { MatchLabels = Labels() },
            Replicas = _resource.GetReplicaCount(),
            RevisionHistoryLimit = RevisionHistory,
            Strategy = new() { Type = "RollingUpdate", RollingUpdate = new() { MaxSurge = 1, MaxUnavailable = 1 } },
        },
    };

    private StatefulSet Stateful(PodTemplateSpecV1 pods)
    {
        var headless = KubernetesNames.Object(_resource, "headless");
        target.AdditionalResources.Add(new Service
        {
            Metadata = { Name = headless, Labels = Labels() },
            Spec = { ClusterIp = "None", PublishNotReadyAddresses = true, Selector = Labels() },
        });
        return new()
        {
            Metadata = { Name = KubernetesNames.Object(_resource, "statefulset"), Labels = Labels() },
            Spec = { ServiceName = headless, Template = pods, Selector = { MatchLabels = Labels() }, Replicas = _resource.GetReplicaCount(), RevisionHistoryLimit = RevisionHistory },
        };
    }

    /// <summary>Clients reach the pods at the same port that the pods bind; from outside only where an endpoint is external.</summary>
    private Service Service(List<(string Name, string Port, ResolvedEndpoint Endpoint)> ports)
    {
        var external = ports.Any(p => p.Endpoint.Endpoint.IsExternal);
        var service = new Service
        {
            Metadata = { Name = HelmTranslator.ServiceName(_resource), Labels = Labels() },
            Spec =
            {
                Type = external ? $"{{{{ {values.Parameter(_resource, "service_type", "LoadBalancer")} }}}}" : _environment.DefaultServiceType,
                Selector = Labels(),
            },
        };
        foreach (var (name, port, _) in ports) service.Spec.Ports.Add(new() { Name = name, Protocol = "TCP", Port = Number(port), TargetPort = Number(port) });
        return service;
    }

    private Dictionary<string, string> Labels() => KubernetesNames.Labels(_environment.HelmChartName, _resource);

    private static Int32OrStringV1 Number(string port) => int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : new Int32OrStringV1(port.Replace(" }}", " | int }}", StringComparison.Ordinal));
}
