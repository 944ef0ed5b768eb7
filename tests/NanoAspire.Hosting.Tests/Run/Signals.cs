using System.Globalization;
using System.Runtime.InteropServices;

namespace NanoAspire.Hosting.Tests.Run;

internal static partial class Signals
{
    public static int Send(int pid, int signal) => kill(pid, signal);

    /// <summary>Whether this process ignores the signal, as shells arrange for background jobs.</summary>
    public static bool IsIgnored(int signal)
    {
        var mask = File.ReadLines("/proc/self/status").First(l => l.StartsWith("SigIgn:", StringComparison.Ordinal))["SigIgn:".Length..].Trim();
        return (ulong.Parse(mask, NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (signal - 1) & 1) != 0;
    }

    [LibraryImport("libc")] private static partial int kill(int pid, int signal);
}
