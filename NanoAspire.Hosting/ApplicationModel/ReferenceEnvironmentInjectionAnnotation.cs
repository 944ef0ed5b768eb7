namespace Aspire.Hosting.ApplicationModel;

/// <summary>Limits which variables references put into the resource.</summary>
public class ReferenceEnvironmentInjectionAnnotation(ReferenceEnvironmentInjectionFlags flags) : IResourceAnnotation
{
    public ReferenceEnvironmentInjectionFlags Flags { get; } = flags;
}
