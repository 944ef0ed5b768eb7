namespace NanoAspire.Dashboard.Server;

/// <summary>The port of the pages; every other one takes telemetry only. Known once the server listens.</summary>
internal sealed class PortPolicy
{
    public int Ui { get; set; }
}
