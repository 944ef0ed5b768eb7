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

    private static async Task<bool> AnswersAsync(string tool, CancellationToken ct)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, ["ps", "--quiet", "--last", "1"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        });
        if (process is null) return false;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            return process.ExitCode == 0;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            return false;
        }
    }
}
