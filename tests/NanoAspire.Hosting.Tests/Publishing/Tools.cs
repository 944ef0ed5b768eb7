using System.Diagnostics;

namespace NanoAspire.Hosting.Tests.Publishing;

/// <summary>Programs that check what we write, where they are installed. CI does not need them: their tests are skipped visibly.</summary>
public static class Tools
{
    public const string HelmReason = "needs helm on the PATH";
    public const string ComposeReason = "needs docker compose (its configuration command needs no daemon)";

    public static bool Helm { get; } = Run("helm", "version", "--short")?.ExitCode == 0;
    public static bool Compose { get; } = ComposeCommand is not null;

    /// <summary><c>docker compose</c> or the older program of its own.</summary>
    internal static string[]? ComposeCommand => Run("docker", "compose", "version")?.ExitCode == 0 ? ["docker", "compose"]
        : Run("docker-compose", "version")?.ExitCode == 0 ? ["docker-compose"]
        : null;

    /// <summary>Null when there is no such program.</summary>
    internal static (int ExitCode, string Output, string Errors)? Run(string program, params string[] args)
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(f => f.Length > 0 && File.Exists(Path.Combine(f, program)))) return null;
        using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.GetAwaiter().GetResult());
    }
}
