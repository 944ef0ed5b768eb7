namespace Aspire.Hosting.ApplicationModel;

/// <summary>One command of a resource and whether it can be given now.</summary>
public sealed record ResourceCommandSnapshot(string Name, ResourceCommandState State, string DisplayName, string? DisplayDescription, object? Parameter,
    string? ConfirmationMessage, string? IconName, IconVariant? IconVariant, bool IsHighlighted);
