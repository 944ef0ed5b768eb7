using NanoAspire.Hosting.Run;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Who asks for a value, and from where.</summary>
public class ValueProviderContext
{
    public DistributedApplicationExecutionContext? ExecutionContext { get; init; }

    /// <summary>The resource whose environment or arguments are being evaluated.</summary>
    public IResource? Caller { get; init; }

    /// <summary>The network that the caller lives in; null means the host's own.</summary>
    public NetworkIdentifier? Network { get; init; }

    /// <summary>The network of a container that asks; null for processes.</summary>
    internal ContainerNetwork? Containers { get; init; }

    /// <summary>The replica that is being started: target ports differ from one to the next.</summary>
    internal ResourceInstance? Instance { get; init; }
}
