namespace Aspire.Hosting.ApplicationModel;

/// <summary>One mount of a container.</summary>
public sealed record VolumeSnapshot(string? Source, string Target, string MountType, bool IsReadOnly);
