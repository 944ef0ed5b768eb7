namespace NanoAspire.ServiceDefaults.Telemetry;

/// <summary>Endpoint metadata: the request's span is dropped.</summary>
internal sealed class UntracedEndpoint
{
    public static UntracedEndpoint Instance { get; } = new();

    private UntracedEndpoint() { }
}
