#pragma warning disable ASPIREPROBES001 // written, not declared, here
using Aspire.Hosting.Kubernetes.Resources;

namespace NanoAspire.Hosting.Publishing.Kubernetes;

/// <summary>Probes and rights that a container gets unless a customization says otherwise.</summary>
internal static class ContainerDefaults
{
    private const string LivenessPath = "/alive";

    /// <summary>
    /// Health checks become the startup and readiness probe; a project that has any also answers on <c>/alive</c>. Without an HTTP check,
    /// a container that is checked at all is ready when it accepts connections. A probe that the model declares takes the place of its type.
    /// </summary>
    public static void AddProbes(ContainerV1 container, IResource resource)
    {
        AddHealthProbes(container, resource);
        foreach (var probe in resource.Annotations.OfType<EndpointProbeAnnotation>())
        {
            var written = new ProbeV1
            {
                HttpGet = new() { Path = probe.Path, Port = new Int32OrStringV1(probe.EndpointReference.EndpointName.ToLowerInvariant()), Scheme = probe.EndpointReference.Scheme.ToUpperInvariant() },
                InitialDelaySeconds = probe.InitialDelaySeconds,
                PeriodSeconds = probe.PeriodSeconds,
                TimeoutSeconds = probe.TimeoutSeconds,
                FailureThreshold = probe.FailureThreshold,
                SuccessThreshold = probe.SuccessThreshold,
            };
            if (probe.Type == ProbeType.Startup) container.StartupProbe = written;
            else if (probe.Type == ProbeType.Readiness) container.ReadinessProbe = written;
            else container.LivenessProbe = written;
        }
    }

    private static void AddHealthProbes(ContainerV1 container, IResource resource)
    {
        if (resource.Annotations.OfType<HttpHealthCheckAnnotation>().FirstOrDefault() is { } check && container.Ports.Any(p => Names(p, check)))
        {
            container.StartupProbe = Http(container, check, check.Path, period: 5, failures: 60);
            container.ReadinessProbe = Http(container, check, check.Path, period: 5, failures: 3);
            if (resource is ProjectResource) container.LivenessProbe = Http(container, check, LivenessPath, period: 10, failures: 6);
            return;
        }
        if (!resource.HasAnnotationOfType<HealthCheckAnnotation>() || container.Ports is not [{ Name: var port }, ..]) return;
        container.StartupProbe = Tcp(port, failures: 60);
        container.ReadinessProbe = Tcp(port, failures: 3);
        container.LivenessProbe = Tcp(port, failures: 6);
    }

    /// <summary>A project's image is made for an ordinary user without any capability; a foreign image may need its root, but no more than that.</summary>
    public static SecurityContextV1 Security(IResource resource)
    {
        var security = new SecurityContextV1 { AllowPrivilegeEscalation = false };
        if (resource is not ProjectResource) return security;
        security.RunAsNonRoot = true;
        security.Capabilities = new CapabilitiesV1 { Drop = { "ALL" } };
        return security;
    }

    public static PodSecurityContextV1 PodSecurity() => new() { SeccompProfile = new() { Type = "RuntimeDefault" } };

    private static bool Names(ContainerPortV1 port, HttpHealthCheckAnnotation check) =>
        string.Equals(port.Name, check.Endpoint().EndpointName, StringComparison.OrdinalIgnoreCase);

    private static ProbeV1 Http(ContainerV1 container, HttpHealthCheckAnnotation check, string path, int period, int failures) => new()
    {
        HttpGet = new()
        {
            Path = path,
            Port = new Int32OrStringV1(container.Ports.First(p => Names(p, check)).Name),
            Scheme = check.Endpoint().Scheme.ToUpperInvariant(),     // the API takes no lower case
        },
        PeriodSeconds = period,
        FailureThreshold = failures,
    };

    private static ProbeV1 Tcp(string port, int failures) => new() { TcpSocket = new() { Port = new Int32OrStringV1(port) }, PeriodSeconds = 5, FailureThreshold = failures };
}
