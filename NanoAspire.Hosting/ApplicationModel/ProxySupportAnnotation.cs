namespace Aspire.Hosting.ApplicationModel;

/// <summary>Whether endpoints may have a proxy in front.</summary>
public sealed class ProxySupportAnnotation : IResourceAnnotation
{
    public required bool ProxyEnabled { get; init; }
}
