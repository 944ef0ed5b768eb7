using System.Globalization;
using Aspire.Hosting.Docker;
using Aspire.Hosting.Docker.Resources;
using Aspire.Hosting.Docker.Resources.ComposeNodes;
using Aspire.Hosting.Docker.Resources.ServiceNodes;

namespace NanoAspire.Hosting.Publishing.Compose;

/// <summary>Makes the services of a compose file from the resources of the model.</summary>
internal sealed class ComposeServices(DockerComposeEnvironmentResource environment, ComposeFile file, DistributedApplicationExecutionContext execution)
{
    private const string Started = "service_started";
    private const string Healthy = "service_healthy";
    private const string Completed = "service_completed_successfully";
    private readonly ComposeTranslator _translator = new(environment.Variables);

    /// <param name="resource">A project or container.</param>
    /// <param name="published">The services of the file.</param>
    /// <param name="ct">Ends the callbacks of the resource.</param>
    public async Task<Service> CreateAsync(IResource resource, IReadOnlySet<string> published, CancellationToken ct)
    {
        var service = new Service { Name = ComposeTranslator.ServiceName(resource), Image = Image(resource), Networks = [environment.DefaultNetworkName ?? "aspire"], Restart = "unless-stopped" };
        if (resource is ContainerResource { Entrypoint: { Length: > 0 } entrypoint }) service.Entrypoint.Add(entrypoint);
        foreach (var argument in await PublishedValues.ArgumentsAsync(resource, execution, ct).ConfigureAwait(false)) service.Command.Add(_translator.Translate(argument));
        foreach (var (name, value) in await PublishedValues.EnvironmentAsync(resource, execution, ct).ConfigureAwait(false)) service.Environment[name] = _translator.Translate(value);
        if (resource.HasAnnotationOfType<OtlpExporterAnnotation>()) AddTelemetry(service, resource);
        AddPorts(service, resource);
        AddMounts(service, resource);
        if (resource.GetReplicaCount() is > 1 and var replicas) service.Deploy = new() { Replicas = replicas };
        if (resource is RedisResource) service.Healthcheck = RedisHealth();
        // By name: a project that is published from its Dockerfile has another resource in its place.
        foreach (var wait in resource.Annotations.OfType<WaitAnnotation>().Where(w => published.Contains(ComposeTranslator.ServiceName(w.Resource))))
        {
            service.DependsOn[ComposeTranslator.ServiceName(wait.Resource)] = new() { Condition = wait.WaitType == WaitType.WaitForCompletion ? Completed : Started };
        }
        return service;
    }

    /// <summary>Waiting for health needs a dependency that says how to ask; customizations may have added that.</summary>
    public void WaitForHealth(IResource resource, Service service)
    {
        foreach (var wait in resource.Annotations.OfType<WaitAnnotation>().Where(w => w.WaitType == WaitType.WaitUntilHealthy))
        {
            var name = ComposeTranslator.ServiceName(wait.Resource);
            if (service.DependsOn.TryGetValue(name, out var dependency) && file.Services.TryGetValue(name, out var other) && other.Healthcheck is not null) dependency.Condition = Healthy;
        }
    }

    private string Image(IResource resource)
    {
        if (resource is not ProjectResource && !resource.HasAnnotationOfType<DockerfileBuildAnnotation>())
        {
            return resource.TryGetContainerImageName(out var image) ? image : throw new DistributedApplicationException($"Container '{resource.Name}' has no image.");
        }
        return environment.Variables.Reference($"{resource.Name}_image", $"Image of {resource.Name}", $"{resource.Name.ToLowerInvariant()}:latest", resource);
    }

    private void AddTelemetry(Service service, IResource resource)
    {
        service.Environment["OTEL_SERVICE_NAME"] = resource.Name;
        service.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = environment is { DashboardEnabled: true, Dashboard.Resource: var dashboard }
            ? _translator.Translate(dashboard.OtlpGrpcEndpoint)
            : environment.Variables.Reference("otel_endpoint", "Where telemetry goes (OTLP); empty is nowhere", "");
        service.Environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = environment.DashboardEnabled ? "grpc" : environment.Variables.Reference("otel_protocol", "grpc or http/protobuf", "http/protobuf");
    }

    private void AddPorts(Service service, IResource resource)
    {
        foreach (var endpoint in resource.ResolveEndpoints())
        {
            var port = _translator.Port(resource, endpoint);
            if (!endpoint.Endpoint.IsExternal) Add(service.Expose, port);
            else Add(service.Ports, $"{endpoint.Endpoint.Port?.ToString(CultureInfo.InvariantCulture) ?? port}:{port}");
        }

        static void Add(List<string> list, string entry)
        {
            if (!list.Contains(entry)) list.Add(entry);
        }
    }

    private void AddMounts(Service service, IResource resource)
    {
        var number = 0;
        foreach (var mount in resource.Annotations.OfType<ContainerMountAnnotation>())
        {
            var bind = mount.Type == ContainerMountType.BindMount;
            var source = bind
                ? environment.Variables.Reference(string.Create(CultureInfo.InvariantCulture, $"{resource.Name}_bindmount_{number++}"), $"Folder that {resource.Name} sees as {mount.Target}", mount.Source!, resource)
                : mount.Source;
            service.AddVolume(new() { Name = mount.Source ?? mount.Target, Type = bind ? "bind" : "volume", Target = mount.Target, Source = source, ReadOnly = mount.IsReadOnly });
            if (!bind && !string.IsNullOrEmpty(mount.Source)) file.Volumes.TryAdd(mount.Source, new() { Name = mount.Source, Driver = "local" });
        }
    }

    private static Healthcheck RedisHealth() => new()
    {
        Test = ["CMD-SHELL", "redis-cli --no-auth-warning -a \"$$REDIS_PASSWORD\" ping | grep -q PONG"],
        Interval = "5s",
        Timeout = "3s",
        StartPeriod = "5s",
        Retries = 12,
    };
}
