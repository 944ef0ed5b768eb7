// Asks the service in this container for one path: exit code 0 when it answers with success. Images without a shell have nothing else to ask with.
if (args is not [['/', ..] path])
{
    Console.Error.WriteLine("usage: NanoAspire.Probe /PATH");
    return 2;
}
var port = (Environment.GetEnvironmentVariable("HTTP_PORTS") ?? Environment.GetEnvironmentVariable("ASPNETCORE_HTTP_PORTS") ?? "8080").Split(';')[0];
if (!Uri.TryCreate($"http://127.0.0.1:{port}{path}", UriKind.Absolute, out var address))
{
    Console.Error.WriteLine($"HTTP_PORTS: '{port}' is not a port");
    return 2;
}
using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(4) };
try
{
    using var response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead);
    if (response.IsSuccessStatusCode) return 0;
    Console.Error.WriteLine($"{address} answered {(int)response.StatusCode}");
}
catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
{
    Console.Error.WriteLine($"{address}: {e.Message}");
}
return 1;
