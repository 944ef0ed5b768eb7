namespace Aspire.Hosting.ApplicationModel;

/// <summary>Gives target ports to published endpoints that have none.</summary>
public interface IPortAllocator
{
    /// <summary>Takes a port out of those that will be given.</summary>
    void AddUsedPort(int port);
    int AllocatePort();
}
