namespace Aspire.Hosting;

/// <summary>A resource whose endpoints others find through <c>services__*</c> variables.</summary>
public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;
