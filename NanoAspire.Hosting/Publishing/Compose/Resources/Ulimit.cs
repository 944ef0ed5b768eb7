namespace Aspire.Hosting.Docker.Resources.ServiceNodes;

/// <summary>A limit of the kernel; -1 is none.</summary>
public sealed class Ulimit
{
    public long? Soft { get; set; }
    public long? Hard { get; set; }
}
