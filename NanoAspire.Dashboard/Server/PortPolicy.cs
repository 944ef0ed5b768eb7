namespace NanoAspire.Dashboard.Server;

/// <summary>Which port serves what; known once the server listens.</summary>
internal sealed class PortPolicy
{
    public int Ui { get; set; }
    public int Otlp { get; set; }
}
