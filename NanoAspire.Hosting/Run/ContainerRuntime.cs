using System.Diagnostics;

namespace NanoAspire.Hosting.Run;

/// <summary>docker or podman, if one of them is here and its engine answers.</summary>
internal static class ContainerRuntime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>The path of the tool, or null. <paramref name="preferred"/> is the user's choice (<c>ASPIRE_CONTAINER_RUNTIME</c>).</summary>
    public static async Task<string?> FindAsync(string? preferred, CancellationToken ct)
    {
        foreach (var name in string.IsNullOrEmpty(preferred) ? ["docker", "podman"] : new[] { preferred })
        {
            if (ExecutablePath.Find(name, Environment.CurrentDirectory) is { } path && await AnswersAsync(path, ct).ConfigureAwait(false)) return path;
        }
        return null;
    }

    private static async Task<bool> AnswersAsync(string tool, CancellationToken ct) => (await RunAsync(tool, ["ps", "--quiet", "--last", "1"], Limit, ct).ConfigureAwait(false)).Code == 0;

    /// <summary>One call of the tool: its exit code, and what it wrote on either output. It is killed at the limit, with code −1.</summary>
    public static async Task<(int Code, string Output)> RunAsync(string tool, IReadOnlyList<string> arguments, TimeSpan limit, CancellationToken ct)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        });
        if (process is null) return (-1, "");
        process.StandardInput.Close();
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timer.CancelAfter(limit);
        try
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(timer.Token), process.StandardError.ReadToEndAsync(timer.Token));
            await process.WaitForExitAsync(timer.Token).ConfigureAwait(false);
            return (process.ExitCode, await output.ConfigureAwait(false) + await errors.ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            ct.ThrowIfCancellationRequested();
            return (-1, $"no answer in {limit.TotalSeconds:0} s");
        }
    }
}
