namespace Aspire.Hosting.Docker.Resources.ComposeNodes;

/// <summary>A network of a compose file.</summary>
public sealed class Network : NamedComposeMember
{
    public string? Driver { get; set; }
}
