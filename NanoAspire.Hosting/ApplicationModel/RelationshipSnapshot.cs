namespace Aspire.Hosting.ApplicationModel;

/// <summary>One edge of the resource graph.</summary>
public sealed record RelationshipSnapshot(string ResourceName, string Type);
