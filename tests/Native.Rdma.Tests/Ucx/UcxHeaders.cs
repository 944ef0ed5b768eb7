using System.Diagnostics;

namespace NanoAspire.Native.Rdma.Tests.Ucx;

/// <summary>The C headers of UCX and a compiler for them.</summary>
public static class UcxHeaders
{
    public const string Reason = "needs gcc and the headers of UCX (package libucx-dev)";

    public static bool Installed { get; } = File.Exists("/usr/include/ucp/api/ucp.h") && File.Exists("/usr/bin/gcc");

    /// <summary>What the program prints.</summary>
    public static async Task<string[]> RunAsync(string program)
    {
        var folder = Directory.CreateTempSubdirectory("ucx-abi-");
        try
        {
            var (source, binary) = (Path.Combine(folder.FullName, "abi.c"), Path.Combine(folder.FullName, "abi"));
            await File.WriteAllTextAsync(source, program);
            await OutputOfAsync("/usr/bin/gcc", "-o", binary, source);
            return (await OutputOfAsync(binary)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> OutputOfAsync(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return output;
    }
}
