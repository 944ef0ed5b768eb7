namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>All entries of a config map or secret as variables.</summary>
public sealed class EnvFromSourceV1
{
    public ConfigMapEnvSourceV1? ConfigMapRef { get; set; }
    public SecretEnvSourceV1? SecretRef { get; set; }
}
