using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using NanoAspire.Hosting.Model;

namespace NanoAspire.Hosting.Testing;

/// <summary>What differs when a test runs the application.</summary>
internal static class TestDefaults
{
    public static void Apply(Assembly host, string[] args, DistributedApplicationOptions options, HostApplicationBuilderSettings settings)
    {
        var directory = DistributedApplicationBuilder.Metadata(host, "apphostprojectpath");
        options.Args = [.. options.Args ?? [], .. args.Except(options.Args ?? [])];
        options.DisableDashboard = true;
        options.EnableResourceLogging = true;
        options.AssemblyName ??= host.GetName().Name;
        settings.Args = options.Args;
        settings.ApplicationName = host.GetName().Name;
        if (directory is not null && Directory.Exists(directory)) settings.ContentRootPath = directory;

        var defaults = new Dictionary<string, string?>
        {
            ["DcpPublisher:RandomizePorts"] = "true",
            ["DcpPublisher:WaitForResourceCleanup"] = "true",
            ["DcpPublisher:ContainerRuntimeInitializationTimeout"] = "00:00:30",
            ["ASPNETCORE_URLS"] = "http://localhost:8080",
            ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
        };
        foreach (var (name, value) in ProfileVariables(directory, host))
        {
            defaults[name] = value;
            foreach (var prefix in (string[])["DOTNET_", "ASPNETCORE_"])
            {
                if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) defaults[name[prefix.Length..]] = value;
            }
        }
        settings.Configuration ??= new ConfigurationManager();
        settings.Configuration.AddInMemoryCollection(defaults);
        if (defaults.GetValueOrDefault("ENVIRONMENT") is { } environment) settings.EnvironmentName ??= environment;
    }

    private static Dictionary<string, string> ProfileVariables(string? directory, Assembly host)
    {
        if (directory is null || DistributedApplicationBuilder.Metadata(host, "apphostprojectname") is not { } project) return [];
        var selected = LaunchProfiles.Select(new PathProjectMetadata(Path.Combine(directory, project)), named: null, preferred: null);
        return selected?.Profile.EnvironmentVariables ?? [];
    }
}
