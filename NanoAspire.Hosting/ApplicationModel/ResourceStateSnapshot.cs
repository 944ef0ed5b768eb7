namespace Aspire.Hosting.ApplicationModel;

/// <summary>A state and how to show it (<see cref="KnownResourceStateStyles"/>).</summary>
public sealed record ResourceStateSnapshot(string Text, string? Style)
{
    public static implicit operator ResourceStateSnapshot?(string? s) => s is null ? null : new(s, Style: null);
}
