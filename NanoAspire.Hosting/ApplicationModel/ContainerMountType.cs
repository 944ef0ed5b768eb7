namespace Aspire.Hosting.ApplicationModel;

/// <summary>A folder of the host, or a named volume.</summary>
public enum ContainerMountType
{
    BindMount = 0,
    Volume = 1,
}
