using System.Diagnostics;

namespace NanoAspire.Ctrl.Tests.Cli;

/// <summary>Runs the built program as a user would.</summary>
internal static class Nanoctrl
{
    public sealed record Result(int ExitCode, string Output, string Errors);

    public static async Task<Result> RunAsync(string runtimeFolder, params string[] arguments)
    {
        using var process = Start(runtimeFolder, new Dictionary<string, string?>(), arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try { await process.WaitForExitAsync(limit.Token); }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
        return new Result(process.ExitCode, await output, await errors);
    }

    public static Process Start(string runtimeFolder, IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Ctrl.exe" : "Ctrl"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = runtimeFolder,
        };
        foreach (var variable in (string[])["ASPNETCORE_URLS", "HTTP_PORTS", "PORT", "ConnectionStrings__redis", "NANOCTRL_REDIS_URL", "DLSLIME_CTRL_REDIS_URL"]) start.Environment.Remove(variable);
        start.Environment["NANOCTRL_RUNTIME_DIR"] = runtimeFolder;
        foreach (var (name, value) in environment) start.Environment[name] = value;
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}
