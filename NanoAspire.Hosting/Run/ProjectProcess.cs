using System.Reflection;

namespace NanoAspire.Hosting.Run;

/// <summary>A project as a process: the assembly that the build has made, run by the same dotnet as the host.</summary>
internal static class ProjectProcess
{
    public static ProcessSpec Create(ProjectResource project, string dotnet, Assembly? host, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var metadata = project.GetProjectMetadata();
        var assembly = FindAssembly(metadata, host);
        var folder = Path.GetDirectoryName(metadata.ProjectPath);
        if (!Directory.Exists(folder)) folder = Path.GetDirectoryName(assembly)!;           // a host that was moved away from its sources
        return new ProcessSpec(dotnet, [assembly, .. arguments], folder!, environment);
    }

    /// <exception cref="DistributedApplicationException">The project has not been built.</exception>
    private static string FindAssembly(IProjectMetadata metadata, Assembly? host)
    {
        if (metadata is IBuiltProjectMetadata { TargetPath: { Length: > 0 } built } && File.Exists(built)) return built;
        var name = Path.GetFileNameWithoutExtension(metadata.ProjectPath);
        var configuration = host?.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration ?? "Debug";
        var output = Path.Combine(Path.GetDirectoryName(metadata.ProjectPath)!, "bin", configuration);
        var found = Directory.Exists(output)
            ? Directory.EnumerateFiles(output, $"{name}.runtimeconfig.json", SearchOption.AllDirectories)
                .Select(config => Path.Combine(Path.GetDirectoryName(config)!, $"{name}.dll"))
                .Where(File.Exists).OrderByDescending(File.GetLastWriteTimeUtc).FirstOrDefault()
            : null;
        return found ?? throw new DistributedApplicationException($"project '{metadata.ProjectPath}' is not built ({configuration}): build the host project, which builds it too");
    }
}
