namespace Aspire.Hosting.ApplicationModel;

/// <summary>No launch profile is used.</summary>
public sealed class ExcludeLaunchProfileAnnotation : IResourceAnnotation;
