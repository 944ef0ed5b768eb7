namespace Aspire.Hosting.ApplicationModel;

/// <summary>Which kinds of variables references put into a resource.</summary>
[Flags]
public enum ReferenceEnvironmentInjectionFlags
{
    None = 0,
    ConnectionString = 1,
    ConnectionProperties = 2,
    ServiceDiscovery = 4,
    Endpoints = 8,
    All = ConnectionString | ConnectionProperties | ServiceDiscovery | Endpoints,
}
