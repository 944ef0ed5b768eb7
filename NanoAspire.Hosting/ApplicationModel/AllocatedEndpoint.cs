using System.Globalization;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The address that clients of an endpoint use in this run.</summary>
public class AllocatedEndpoint
{
    public AllocatedEndpoint(EndpointAnnotation endpoint, string address, int port, string? targetPortExpression = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, 65535);
        Endpoint = endpoint;
        Address = address;
        Port = port;
        TargetPortExpression = targetPortExpression;
    }

    public EndpointAnnotation Endpoint { get; }
    public string Address { get; }
    public int Port { get; }
    public string? TargetPortExpression { get; }
    public string UriScheme => Endpoint.UriScheme;
    public string EndPointString => string.Create(CultureInfo.InvariantCulture, $"{Address}:{Port}");
    public string UriString => $"{UriScheme}://{EndPointString}";
    public override string ToString() => UriString;
}
