using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace NanoAspire.Hosting.Run;

/// <summary>
/// A container that outlives the host: made once, attached to by each run, made anew only when the model describes another one.
/// Ending the host leaves it running; the stop command stops it.
/// </summary>
internal static class PersistentContainer
{
    private const string Label = "nanoaspire.configuration";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static bool IsPersistent(IResource resource) =>
        resource.TryGetLastAnnotation<ContainerLifetimeAnnotation>(out var lifetime) && lifetime.Lifetime == ContainerLifetime.Persistent;

    /// <summary>The process that shows the container's output and ends with it.</summary>
    /// <param name="runtime">docker or podman.</param>
    /// <param name="name">The container's name, the same in every run.</param>
    /// <param name="options">Everything between <c>create</c> and the end of its command line.</param>
    /// <param name="environment">The values of the variables that <paramref name="options"/> names.</param>
    /// <param name="create">Runs the client in the resource's log; returns its exit code and last words.</param>
    /// <param name="ct">Ends the wait for the runtime.</param>
    /// <exception cref="DistributedApplicationException">The name belongs to a container that no host made, or none can be made.</exception>
    public static async Task<ProcessSpec> EnsureAsync(string runtime, string name, IReadOnlyList<string> options, IReadOnlyDictionary<string, string> environment,
        Func<ProcessSpec, Task<(int Code, string? LastWords)>> create, CancellationToken ct)
    {
        var wanted = Describe(options, environment);
        var (code, found) = await ContainerRuntime.RunAsync(runtime,
            ["inspect", "--type", "container", "--format", $$$"""{{index .Config.Labels "{{{Label}}}"}}""", name], Limit, ct).ConfigureAwait(false);
        found = found.Trim();
        if (code == 0 && found.Length == 0) throw new DistributedApplicationException($"a container '{name}' exists that this application did not make");
        if (code == 0 && found != wanted) await ContainerRuntime.RunAsync(runtime, ["rm", "--force", name], Limit, ct).ConfigureAwait(false);
        if (code != 0 || found != wanted)
        {
            var (created, words) = await create(new ProcessSpec(runtime, ["create", "--label", $"{Label}={wanted}", .. options], Environment.CurrentDirectory, environment)).ConfigureAwait(false);
            if (created != 0) throw new DistributedApplicationException(string.Create(CultureInfo.InvariantCulture, $"creating container '{name}' failed with code {created}: {words?.Trim()}"));
        }
        return new ProcessSpec(runtime, ["start", "--attach", "--sig-proxy=false", name], Environment.CurrentDirectory, new Dictionary<string, string>())
        {
            Stop = stop => ContainerRuntime.RunAsync(runtime, ["stop", name], Limit, stop),
        };
    }

    /// <summary>Differs when the container would; where telemetry goes is chosen anew for each run and is no reason to lose one.</summary>
    private static string Describe(IReadOnlyList<string> options, IReadOnlyDictionary<string, string> environment)
    {
        var text = new StringBuilder().AppendJoin('\0', options);
        foreach (var (variable, value) in environment.Where(v => !v.Key.StartsWith("OTEL_", StringComparison.Ordinal)).OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            text.Append('\0').Append(variable).Append('=').Append(value);
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..32];
    }
}
