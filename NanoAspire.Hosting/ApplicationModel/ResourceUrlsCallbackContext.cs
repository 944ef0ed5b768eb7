using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The links of a resource while they are put together, after its endpoints were allocated.</summary>
public class ResourceUrlsCallbackContext(DistributedApplicationExecutionContext executionContext, IResource resource,
    List<ResourceUrlAnnotation>? urls = null, CancellationToken cancellationToken = default)
{
    public IResource Resource { get; } = resource;
    public List<ResourceUrlAnnotation> Urls { get; } = urls ?? [];
    public DistributedApplicationExecutionContext ExecutionContext { get; } = executionContext;
    public CancellationToken CancellationToken { get; } = cancellationToken;
    public ILogger Logger { get; set; } = NullLogger.Instance;

    public EndpointReference? GetEndpoint(string name) => Resource is IResourceWithEndpoints owner
        ? owner.GetEndpoints().FirstOrDefault(e => string.Equals(e.EndpointName, name, StringComparison.OrdinalIgnoreCase))
        : null;
}
