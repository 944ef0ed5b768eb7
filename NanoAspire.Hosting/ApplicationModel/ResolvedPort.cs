namespace Aspire.Hosting.ApplicationModel;

/// <summary>A port of a published endpoint; without a value the platform chooses.</summary>
/// <param name="Value">The port, if it is known.</param>
/// <param name="IsAllocated">Whether it was given out and not written by anybody.</param>
/// <param name="IsImplicit">Whether it was taken from the endpoint's other port.</param>
public readonly record struct ResolvedPort(int? Value, bool IsAllocated, bool IsImplicit)
{
    public static ResolvedPort Explicit(int port) => new(port, IsAllocated: false, IsImplicit: false);
    public static ResolvedPort Implicit(int port) => new(port, IsAllocated: false, IsImplicit: true);
    public static ResolvedPort Allocated(int port) => new(port, IsAllocated: true, IsImplicit: false);
    public static ResolvedPort None() => default;
}
