namespace Aspire.Hosting.ApplicationModel;

/// <summary>The resource sends telemetry and gets the OpenTelemetry variables.</summary>
public class OtlpExporterAnnotation : IResourceAnnotation
{
    public OtlpProtocol? RequiredProtocol { get; init; }
}
