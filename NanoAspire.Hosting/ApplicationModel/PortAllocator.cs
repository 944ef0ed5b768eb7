namespace Aspire.Hosting.ApplicationModel;

/// <summary>Counts upwards from a first port, past those in use.</summary>
internal sealed class PortAllocator(int startPort = 8000) : IPortAllocator
{
    private readonly HashSet<int> _used = [];
    private int _next = startPort;

    public void AddUsedPort(int port) => _used.Add(port);

    public int AllocatePort()
    {
        while (!_used.Add(_next)) _next++;
        return _next++;
    }
}
