using Aspire.Hosting.Docker.Resources.ServiceNodes;
using Aspire.Hosting.Docker.Resources.ServiceNodes.Swarm;

namespace Aspire.Hosting.Docker.Resources.ComposeNodes;

/// <summary>One service of a compose file.</summary>
public sealed class Service : NamedComposeMember
{
    public string? Image { get; set; }
    public Build? Build { get; set; }
    public List<string> Command { get; set; } = [];
    public List<string> Entrypoint { get; set; } = [];
    public Dictionary<string, string> Environment { get; set; } = [];
    public List<string> EnvFile { get; set; } = [];
    public List<string> Ports { get; set; } = [];
    public List<string> Expose { get; set; } = [];
    public List<Volume> Volumes { get; set; } = [];
    public Dictionary<string, ServiceDependency> DependsOn { get; set; } = [];
    public List<string> Networks { get; set; } = [];
    public string? NetworkMode { get; set; }
    public Deploy? Deploy { get; set; }
    public List<string> Devices { get; set; } = [];
    public List<string> CapAdd { get; set; } = [];
    public List<string> CapDrop { get; set; } = [];
    public Dictionary<string, Ulimit> Ulimits { get; set; } = [];
    public string? Ipc { get; set; }
    /// <summary>Size of <c>/dev/shm</c>, such as <c>16gb</c>.</summary>
    public string? ShmSize { get; set; }
    public List<string> Tmpfs { get; set; } = [];
    public Healthcheck? Healthcheck { get; set; }
    public string? Restart { get; set; }
    public Dictionary<string, string> Labels { get; set; } = [];
    public List<string> SecurityOpt { get; set; } = [];
    public string? User { get; set; }
    public string? StopGracePeriod { get; set; }
    public bool? Init { get; set; }
    public List<string> Profiles { get; set; } = [];
    public Dictionary<string, string> Sysctls { get; set; } = [];

    public Service AddVolume(Volume volume)
    {
        Volumes.Add(volume);
        return this;
    }

    public Service AddEnvironmentalVariable(string key, string? value)
    {
        if (value is not null) Environment[key] = value;
        return this;
    }
}
