namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Which RDMA cards an agent publishes. It only tells of them: which one carries what is up to UCX.</summary>
public sealed record NicOptions
{
    public string SysfsRoot { get; init; } = "/sys";
    /// <summary>Cards; null: those that the system has. Those named here need no entry in sysfs.</summary>
    public IReadOnlyList<string>? Devices { get; init; }
    /// <summary>Comes first, if it is there.</summary>
    public string? PreferredDevice { get; init; }
    /// <summary>Of ports of which the system does not say it.</summary>
    public string PreferredLinkType { get; init; } = "RoCE";
    /// <summary>Comma list of the only cards to publish; null or empty: all. <c>SLIME_VISIBLE_DEVICES</c> unless told otherwise.</summary>
    public string? VisibleDevices { get; init; } = Environment.GetEnvironmentVariable("SLIME_VISIBLE_DEVICES");
}
