namespace Aspire.Hosting.Docker.Resources.ServiceNodes;

/// <summary>A limit of the kernel; -1 is none.</summary>
public sealed class Ulimit
{
    public int? Soft { get; set; }
    public int? Hard { get; set; }
}
