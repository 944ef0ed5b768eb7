using System.Diagnostics;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>Two network namespaces with a cable between them that can be pulled.</summary>
internal sealed class NetworkNamespaces : IDisposable
{
    private readonly string _name = $"na-{Environment.ProcessId}-{Interlocked.Increment(ref _made)}";
    private static int _made;

    public NetworkNamespaces()
    {
        Ip("netns", "add", Name(0));
        Ip("netns", "add", Name(1));
        Ip("-n", Name(0), "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", Name(1));
        for (var side = 0; side < 2; side++)
        {
            Ip("-n", Name(side), "address", "add", $"{Address(side)}/24", "dev", "cable");
            Ip("-n", Name(side), "link", "set", "lo", "up");
            Ip("-n", Name(side), "link", "set", "cable", "up");
        }
    }

    public static string Address(int side) => $"192.0.2.{side + 1}";

    /// <summary>What runs a command on one side.</summary>
    public string[] In(int side) => ["ip", "netns", "exec", Name(side)];

    public void Pull() => Ip("-n", Name(0), "link", "set", "cable", "down");

    public void Plug() => Ip("-n", Name(0), "link", "set", "cable", "up");

    public void Dispose()
    {
        Ip("netns", "del", Name(0));
        Ip("netns", "del", Name(1));
    }

    private string Name(int side) => $"{_name}-{side}";

    private static void Ip(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"ip {string.Join(' ', arguments)}: {error}");
    }
}
