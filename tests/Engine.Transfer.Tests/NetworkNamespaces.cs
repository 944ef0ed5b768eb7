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
        WaitUntilUp();
    }

    public static string Address(int side) => $"192.0.2.{side + 1}";

    /// <summary>What runs a command on one side.</summary>
    public string[] In(int side) => ["ip", "netns", "exec", Name(side)];

    public void Pull() => Ip("-n", Name(0), "link", "set", "cable", "down");

    public void Plug()
    {
        Ip("-n", Name(0), "link", "set", "cable", "up");
        WaitUntilUp();
    }

    public void Dispose()
    {
        Ip("netns", "del", Name(0));
        Ip("netns", "del", Name(1));
    }

    private string Name(int side) => $"{_name}-{side}";

    /// <summary>The kernel says that a link is up some time after it was told so, and UCX takes no other.</summary>
    private void WaitUntilUp()
    {
        for (var side = 0; side < 2; side++)
        {
            for (var i = 0; !Ip("-n", Name(side), "-o", "link", "show", "cable").Contains("state UP", StringComparison.Ordinal); i++)
            {
                Assert.True(i < 3000, $"the link of {Name(side)} does not come up");
                Thread.Sleep(10);
            }
        }
    }

    private static string Ip(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"ip {string.Join(' ', arguments)}: {error}");
        return output;
    }
}
