namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>Where the value of a variable comes from.</summary>
public sealed class EnvVarSourceV1
{
    public ObjectFieldSelectorV1? FieldRef { get; set; }
}
