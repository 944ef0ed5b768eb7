using System.Diagnostics;

namespace NanoAspire.Tests;

/// <summary>
/// What a test needs from the machine. Use with <c>[Fact(Skip = Needs.RedisReason, SkipUnless = nameof(Needs.Redis), SkipType = typeof(Needs))]</c>
/// and <c>[Trait("needs", "redis")]</c>: a developer's laptop skips visibly, CI (CI=true) runs everything but <c>gpu</c>.
/// </summary>
public static class Needs
{
    public const string RedisReason = "needs redis-server on the PATH";
    public const string UcxReason = "needs libucp.so.0 (package libucx0)";
    public const string ChromiumReason = "needs chromium on the PATH";

    public const string NetworkNamespacesReason = "needs the right to make network namespaces (root, ip netns)";

    private static readonly bool InCi = Environment.GetEnvironmentVariable("CI") is "true" or "1";

    public static bool Redis { get; } = InCi || OnPath("redis-server");
    public static bool Ucx { get; } = InCi || HasLibrary("libucp.so.0");
    public static bool Chromium { get; } = InCi || OnPath("chromium");

    /// <summary>What the machine permits is the only judge, in CI as well.</summary>
    public static bool NetworkNamespaces { get; } = CanMakeNamespaces();

    private static bool OnPath(string command) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, command)));

    private static bool CanMakeNamespaces()
    {
        if (!OperatingSystem.IsLinux() || !OnPath("ip")) return false;
        var name = $"probe-{Environment.ProcessId}";
        if (!Runs("ip", "netns", "add", name)) return false;
        var connects = Runs("ip", "-n", name, "link", "add", "va", "type", "veth", "peer", "name", "vb");
        return Runs("ip", "netns", "del", name) && connects;
    }

    private static bool Runs(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true, RedirectStandardOutput = true });
        process?.WaitForExit();
        return process?.ExitCode == 0;
    }

    private static bool HasLibrary(string name)
    {
        using var ldconfig = Process.Start(new ProcessStartInfo("/sbin/ldconfig", "-p") { RedirectStandardOutput = true });
        return ldconfig is not null && ldconfig.StandardOutput.ReadToEnd().Contains(name, StringComparison.Ordinal);
    }
}
