#pragma warning disable ASPIREPROBES001 // the resource itself is not experimental
namespace Aspire.Hosting.ApplicationModel;

/// <summary>A program that is already on this machine. The command is looked up on the PATH unless it contains a separator.</summary>
public class ExecutableResource : Resource,
    IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport, IResourceWithProbes, IComputeResource
{
    public ExecutableResource(string name, string command, string workingDirectory) : base(name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(command);
        ArgumentNullException.ThrowIfNull(workingDirectory);
        Command = command;
        WorkingDirectory = workingDirectory;
    }

    public string Command { get; }
    public string WorkingDirectory { get; }
}
