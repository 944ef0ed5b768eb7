namespace NanoAspire.Hosting.Run;

/// <summary>Finds programs as a shell would.</summary>
internal static class ExecutablePath
{
    /// <summary>The absolute path, or null. A command with a separator is relative to the folder, any other one is searched on the PATH.</summary>
    public static string? Find(string command, string folder)
    {
        if (command.Contains('/') || command.Contains(Path.DirectorySeparatorChar))
        {
            return Existing(Path.GetFullPath(Path.Combine(folder, command)));
        }
        foreach (var entry in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            if (Existing(Path.Combine(entry, command)) is { } found) return found;
        }
        return null;
    }

    private static string? Existing(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            if (File.Exists(path)) return path;
            return File.Exists(path + ".exe") ? path + ".exe" : null;
        }
        const UnixFileMode executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (File.GetUnixFileMode(path) & executable) != 0 ? path : null;
    }
}
