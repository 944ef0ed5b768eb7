using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource whose probes a publisher writes into its manifests.</summary>
[Experimental("ASPIREPROBES001")]
public interface IResourceWithProbes : IResource;
