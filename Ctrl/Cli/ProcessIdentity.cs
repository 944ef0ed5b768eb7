using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace NanoAspire.Ctrl.Cli;

/// <summary>Is that process still the one we started? Numbers are used again; number and start time together are not.</summary>
internal static partial class ProcessIdentity
{
    private const int SigTerm = 15;

    /// <summary>A text that the process keeps for life. Null when there is no such process (or it cannot be seen).</summary>
    public static string? StartMark(int pid)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                var stat = File.ReadAllText($"/proc/{pid}/stat");
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');  // the name before it may hold anything
                return fields[0] is "Z" or "X" ? null : fields[19];          // field 22: start time in ticks since boot
            }
            catch (FileNotFoundException) { return null; }
            catch (DirectoryNotFoundException) { return null; }
            catch (IOException) { return null; }                             // it ended while being read
        }
        try
        {
            using var process = Process.GetProcessById(pid);
            return new DateTimeOffset(process.StartTime.ToUniversalTime()).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        }
        catch (ArgumentException) { return null; }
        catch (InvalidOperationException) { return null; }
        catch (Win32Exception) { return null; }
    }

    /// <param name="pid">Process number.</param>
    /// <param name="mark">Its mark at the start; null when unknown, and then any process with the number counts.</param>
    public static bool IsAlive(int pid, string? mark) => StartMark(pid) is { } now && (mark is null || now == mark);

    /// <summary>Asks the process to end. False when it is not there or not ours.</summary>
    public static bool Terminate(int pid)
    {
        if (!OperatingSystem.IsWindows()) return Kill(pid, SigTerm) == 0;
        return ForceEnd(pid);
    }

    public static bool ForceEnd(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
            return true;
        }
        catch (ArgumentException) { return false; }
        catch (InvalidOperationException) { return false; }
        catch (Win32Exception) { return false; }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
