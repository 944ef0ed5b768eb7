namespace Aspire.Hosting.ApplicationModel;

/// <summary>The networks that exist without being declared.</summary>
public static class KnownNetworkIdentifiers
{
    public static readonly NetworkIdentifier LocalhostNetwork = new("localhost");
    public static readonly NetworkIdentifier DefaultAspireContainerNetwork = new("aspire-container-network");
    public static readonly NetworkIdentifier PublicInternet = new(".");
}
