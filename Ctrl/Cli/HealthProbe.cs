using System.Net.Sockets;

namespace NanoAspire.Ctrl.Cli;

/// <summary>One look at a server's root path.</summary>
internal static class HealthProbe
{
    /// <summary>Null when it answered 200, else why it counts as down.</summary>
    public static async Task<string?> CheckAsync(string address, TimeSpan timeout, CancellationToken ct)
    {
        if (!Uri.TryCreate(address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            return $"'{address}' is not an http address";
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = timeout };
        try
        {
            using var response = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, ct);
            return (int)response.StatusCode == 200 ? null : $"status {(int)response.StatusCode}";
        }
        catch (HttpRequestException e) { return e.InnerException is SocketException socket ? socket.SocketErrorCode.ToString() : e.Message; }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return "no answer in time"; }
    }
}
