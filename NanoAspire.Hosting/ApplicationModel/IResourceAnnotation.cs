namespace Aspire.Hosting.ApplicationModel;

/// <summary>A fact about a resource.</summary>
public interface IResourceAnnotation;
