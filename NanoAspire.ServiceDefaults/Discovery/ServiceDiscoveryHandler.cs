namespace NanoAspire.ServiceDefaults.Discovery;

/// <summary>Sends each request to a resolved address. The logical one is put back afterwards, so that a retry further out resolves afresh.</summary>
internal sealed class ServiceDiscoveryHandler(ServiceEndpointResolver resolver) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var logical = request.RequestUri ?? throw new InvalidOperationException("The request has no address");
        request.RequestUri = resolver.Resolve(logical);
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        finally
        {
            request.RequestUri = logical;
        }
    }
}
