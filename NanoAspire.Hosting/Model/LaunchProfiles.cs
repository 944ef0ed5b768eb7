using System.Net.Sockets;
using System.Text.Json;

namespace NanoAspire.Hosting.Model;

/// <summary>Reads <c>Properties/launchSettings.json</c> as <c>dotnet run</c> does.</summary>
internal static class LaunchProfiles
{
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>The named profile, else the preferred one if the project has it, else its first for a project or executable.</summary>
    /// <exception cref="DistributedApplicationException">The named profile does not exist, or the file is not readable.</exception>
    public static (string Name, LaunchProfile Profile)? Select(IProjectMetadata metadata, string? named, string? preferred)
    {
        var settings = metadata.LaunchSettings ?? Load(metadata.ProjectPath);
        if (named is not null)
        {
            return settings is not null && settings.Profiles.TryGetValue(named, out var chosen)
                ? (named, chosen)
                : throw new DistributedApplicationException($"Launch settings file of '{metadata.ProjectPath}' has no profile '{named}'.");
        }
        if (settings is null) return null;
        if (preferred is not null && settings.Profiles.TryGetValue(preferred, out var wanted)) return (preferred, wanted);
        foreach (var (name, profile) in settings.Profiles)
        {
            if (profile.CommandName is "Project" or "Executable") return (name, profile);
        }
        return null;
    }

    public static IEnumerable<EndpointAnnotation> Endpoints(LaunchProfile profile)
    {
        var seen = new Dictionary<string, int>();
        foreach (var url in (profile.ApplicationUrl ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!Uri.TryCreate(url.Replace("*", "localhost", StringComparison.Ordinal).Replace("+", "localhost", StringComparison.Ordinal), UriKind.Absolute, out var uri)) continue;
            seen[uri.Scheme] = seen.GetValueOrDefault(uri.Scheme) + 1;
            var name = seen[uri.Scheme] == 1 ? uri.Scheme : $"{uri.Scheme}{seen[uri.Scheme]}";
            yield return new EndpointAnnotation(ProtocolType.Tcp, uriScheme: uri.Scheme, name: name, port: uri.Port) { FromLaunchProfile = true };
        }
    }

    /// <summary>Splits <c>commandLineArgs</c> at spaces outside double quotes.</summary>
    public static string[] Arguments(LaunchProfile profile)
    {
        var result = new List<string>();
        var current = new System.Text.StringBuilder();
        var (quoted, any) = (false, false);
        foreach (var c in profile.CommandLineArgs ?? "")
        {
            if (c == '"') (quoted, any) = (!quoted, true);
            else if (char.IsWhiteSpace(c) && !quoted) Flush();
            else current.Append(c);
        }
        Flush();
        return [.. result];

        void Flush()
        {
            if (current.Length > 0 || any) result.Add(current.ToString());
            current.Clear();
            any = false;
        }
    }

    public static LaunchSettings? Load(string projectPath)
    {
        var path = Path.Combine(Path.GetDirectoryName(projectPath) ?? "", "Properties", "launchSettings.json");
        if (!File.Exists(path)) return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), Lenient);
            var settings = new LaunchSettings();
            if (!document.RootElement.TryGetProperty("profiles", out var profiles)) return settings;
            foreach (var entry in profiles.EnumerateObject()) settings.Profiles[entry.Name] = Read(entry.Value);
            return settings;
        }
        catch (JsonException e)
        {
            throw new DistributedApplicationException($"'{path}' is not valid JSON: {e.Message}", e);
        }
    }

    private static LaunchProfile Read(JsonElement element)
    {
        var profile = new LaunchProfile
        {
            CommandName = Text("commandName"),
            CommandLineArgs = Text("commandLineArgs"),
            ExecutablePath = Text("executablePath"),
            LaunchUrl = Text("launchUrl"),
            ApplicationUrl = Text("applicationUrl"),
        };
        if (element.TryGetProperty("environmentVariables", out var variables))
        {
            foreach (var variable in variables.EnumerateObject()) profile.EnvironmentVariables[variable.Name] = variable.Value.ToString();
        }
        return profile;

        string? Text(string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}
