namespace Aspire.Hosting;

/// <summary>How an application is set up.</summary>
public sealed class DistributedApplicationOptions
{
    public string[]? Args { get; set; }
    public string? AssemblyName { get; set; }
    public string? ProjectDirectory { get; set; }
    public bool DisableDashboard { get; set; }
    public bool AllowUnsecuredTransport { get; set; }

    /// <summary>Every console line of every resource is also logged by the host, in category <c>{application}.Resources.{resource}</c>.</summary>
    public bool EnableResourceLogging { get; set; }
    public string? ContainerRegistryOverride { get; set; }
    public string? DashboardApplicationName { get; set; }
    public bool? TrustDeveloperCertificate { get; set; }
}
