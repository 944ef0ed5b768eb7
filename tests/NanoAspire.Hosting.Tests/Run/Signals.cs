using System.Runtime.InteropServices;

namespace NanoAspire.Hosting.Tests.Run;

internal static partial class Signals
{
    public static int Send(int pid, int signal) => kill(pid, signal);

    [LibraryImport("libc")] private static partial int kill(int pid, int signal);
}
