using System.Runtime.InteropServices;

namespace NanoAspire.Launcher;

/// <summary>Replaces this process by another program that dies with its parent.</summary>
internal static partial class Exec
{
    private const int PrSetPdeathsig = 1;
    private const int SigKill = 9;
    private const int SigPipe = 13;
    private const int CannotExecute = 127;

    /// <summary>
    /// Never returns when it succeeds. The order matters: first ask for the death signal, then look whether the parent is still
    /// there, so that a parent which dies in between is noticed by one of the two.
    /// </summary>
    public static int Become(int parent, string command, string[] argv)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = prctl(PrSetPdeathsig, SigKill, 0, 0, 0);       // belongs to this thread, and survives execve, which this thread calls
            if (getppid() != parent) return CannotExecute;
        }
        _ = setsid();                                          // out of the terminal's foreground group: Ctrl+C reaches the host alone
        _ = signal(SigPipe, 0);                                // the runtime ignores it, and an ignored signal stays ignored after execve

        var pointers = new nint[argv.Length + 1];
        for (var i = 0; i < argv.Length; i++) pointers[i] = Marshal.StringToCoTaskMemUTF8(argv[i]);
        _ = execvp(command, pointers);
        var error = Marshal.GetLastPInvokeError();             // before the console is touched
        Console.Error.WriteLine($"cannot start '{command}': {Marshal.GetPInvokeErrorMessage(error)}");
        return CannotExecute;
    }

    [LibraryImport("libc")] private static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);
    [LibraryImport("libc")] private static partial int getppid();
    [LibraryImport("libc")] private static partial int setsid();
    [LibraryImport("libc")] private static partial nint signal(int number, nint handler);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execvp(string file, nint[] argv);
}
