using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace NanoAspire.Benchmarks.Transfer;

/// <summary>
/// UCX's own benchmark of one-sided reads, from the package ucx-utils. It reads one buffer again and again: what it prints for
/// small ones is the speed of caches, for one large buffer that of memory.
/// </summary>
internal static class Perftest
{
    private const string Command = "ucx_perftest";

    /// <returns>10⁹ bytes a second; null where it is not installed or the transport does not work here.</returns>
    public static async Task<double?> GetAsync(string transports, long bytes, int window, long iterations, CancellationToken cancellationToken)
    {
        var port = FreePort();
        try
        {
            using var server = Start(transports, ["-p", port]);
            try
            {
                for (var attempt = 0; attempt < 50; attempt++)
                {
                    await Task.Delay(100, cancellationToken);
                    using var client = Start(transports,
                    [
                        "-t", "ucp_get", "-s", Text(bytes), "-O", Text(window), "-n", Text(iterations), "-w", Text(Math.Max(1, iterations / 10)), "-f", "-v", "-p", port, "127.0.0.1",
                    ]);
                    using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                    limit.CancelAfter(TimeSpan.FromSeconds(60));
                    try
                    {
                        var output = await client.StandardOutput.ReadToEndAsync(limit.Token);
                        await client.WaitForExitAsync(limit.Token);
                        if (Rate(output) is { } rate) return rate;
                        if (server.HasExited) return null;
                    }
                    finally
                    {
                        if (!client.HasExited) client.Kill();
                    }
                }
                return null;
            }
            finally
            {
                if (!server.HasExited) server.Kill();
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // not installed
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The column <c>overall_bw</c>, in 2²⁰ bytes a second, of the last line.</summary>
    private static double? Rate(string output)
    {
        var last = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault()?.Split(',');
        return last is { Length: 8 } && double.TryParse(last[5], CultureInfo.InvariantCulture, out var mebibytes) ? mebibytes * (1 << 20) / 1e9 : null;
    }

    private static Process Start(string transports, string[] arguments)
    {
        var start = new ProcessStartInfo(Command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["UCX_TLS"] = transports;
        return Process.Start(start)!;
    }

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return Text(((IPEndPoint)listener.LocalEndpoint).Port);
    }
}
