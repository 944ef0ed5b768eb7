using System.Runtime.InteropServices;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>
/// Finds and loads UCX once a process. Loading it must not change how the process treats its own errors: libucs would put its
/// handlers over those of the runtime, and a managed null reference would kill the process.
/// </summary>
public static partial class UcxLibrary
{
    /// <summary>Environment variable that names a folder with <c>libucp.so.0</c> and its plugins; looked at before the system's.</summary>
    public const string FolderVariable = "NANOASPIRE_UCX_PATH";

    private static readonly Lazy<Loaded> Library = new(Load);

    /// <summary>True when a version that we can use is loaded.</summary>
    public static bool IsAvailable => Library.Value.Reason is null;

    /// <summary>Why it is not available; null when it is.</summary>
    public static string? Reason => Library.Value.Reason;

    /// <summary>Of the loaded library; 0.0 when there is none.</summary>
    public static Version Version => Library.Value.Version;

    /// <summary>
    /// Everything but TCP, unless the environment chooses: UCX only imitates one-sided reads over TCP, slower than plain sockets,
    /// and the imitation writes and reads at the target without a check.
    /// </summary>
    internal static string? DefaultTransports => Environment.GetEnvironmentVariable("UCX_TLS") is null ? "^tcp" : null;

    /// <summary>True when the machine has an InfiniBand or RoCE device.</summary>
    internal static bool HasRdmaDevice { get; } = Directory.Exists("/sys/class/infiniband") && Directory.EnumerateFileSystemEntries("/sys/class/infiniband").Any();

    private sealed record Loaded(nint Services, nint Protocols, Version Version, string? Reason);

    private static Loaded Load()
    {
        var none = new Version(0, 0);
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess) return new(0, 0, none, "UCX is used on 64-bit Linux only");
        // Native getenv does not see what the runtime sets, and these are read while the library is being loaded.
        Set("UCX_ERROR_SIGNALS", "", overwrite: true);
        Set("UCX_HANDLE_ERRORS", "none", overwrite: true);
        Set("UCX_LOG_FILE", "stderr", overwrite: false);
        if (!TryLoad(Ucp.ServicesLibrary, out var services) || !TryLoad(Ucp.Library, out var protocols))
            return new(0, 0, none, $"{Ucp.Library} is not installed (package libucx0)");
        DisableSignals(services);
        NativeLibrary.SetDllImportResolver(typeof(Ucp).Assembly, (name, _, _) => name switch
        {
            Ucp.Library => protocols,
            Ucp.ServicesLibrary => services,
            _ => 0,
        });
        var version = ReadVersion(protocols);
        if (version < new Version((int)Ucp.ApiMajor, (int)Ucp.ApiMinor))
            return new(services, protocols, none, $"UCX {version} is installed, 1.13 or newer is needed");

        // Read with the configuration, later than the ones above. Without the first two, shared memory is no choice beside error handling.
        Set("UCX_POSIX_ERROR_HANDLING", "y", overwrite: false);
        Set("UCX_SYSV_ERROR_HANDLING", "y", overwrite: false);
        Set("UCX_KEEPALIVE_INTERVAL", "1s", overwrite: false);
        if (version >= new Version(1, 19)) Set("UCX_CMA_MEMORY_INVALIDATE", "y", overwrite: false);
        return new(services, protocols, version, Reason: null);
    }

    private static bool TryLoad(string name, out nint library)
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder && NativeLibrary.TryLoad(Path.Combine(folder, name), out library)) return true;
        return NativeLibrary.TryLoad(name, typeof(Ucp).Assembly, DllImportSearchPath.SafeDirectories, out library);
    }

    /// <summary>Whatever the variables did: takes back the handlers, so that the runtime's are in force again.</summary>
    private static unsafe void DisableSignals(nint services)
    {
        if (NativeLibrary.TryGetExport(services, "ucs_debug_disable_signals", out var disable)) ((delegate* unmanaged[Cdecl]<void>)disable)();
    }

    private static unsafe Version ReadVersion(nint protocols)
    {
        if (!NativeLibrary.TryGetExport(protocols, "ucp_get_version", out var function)) return new(0, 0);
        uint major, minor, release;
        ((delegate* unmanaged[Cdecl]<uint*, uint*, uint*, void>)function)(&major, &minor, &release);
        return new((int)major, (int)minor, (int)release);
    }

    private static void Set(string name, string value, bool overwrite) => _ = setenv(name, value, overwrite ? 1 : 0);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
