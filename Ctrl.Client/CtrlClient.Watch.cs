using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;

namespace NanoAspire.Ctrl.Client;

public sealed partial class CtrlClient
{
    /// <summary>The service says something at least every 10 s; longer silence is a dead connection.</summary>
    private static readonly TimeSpan WatchSilence = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Revisions of a registry as they happen, beginning with the present one. Says that something changed: list again. Ends when the
    /// service closes the stream.
    /// </summary>
    /// <param name="entityType">Registry to watch.</param>
    /// <param name="after">Revision already seen; -1 for none.</param>
    /// <param name="ct">Ends the watch.</param>
    /// <exception cref="CtrlException">The stream failed or fell silent; status 404 when the service is an original one that cannot push.</exception>
    public async IAsyncEnumerable<long> WatchAsync(string entityType, long after, [EnumeratorCancellation] CancellationToken ct)
    {
        var path = $"v1/watch?entity_type={Uri.EscapeDataString(entityType)}&scope={Uri.EscapeDataString(_options.Scope ?? "")}";
        using var request = Request(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (after >= 0) request.Headers.Add("Last-Event-ID", after.ToString(CultureInfo.InvariantCulture));
        using var response = await GuardAsync(t => _http.CreateClient(HttpClientName).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, t), _options.CallTimeout, ct);
        if (response.StatusCode != HttpStatusCode.OK || response.Content.Headers.ContentType?.MediaType != "text/event-stream")
            throw new CtrlException($"/v1/watch: {(int)response.StatusCode}", response.StatusCode == HttpStatusCode.OK ? 404 : (int)response.StatusCode);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(ct));
        while (await GuardAsync(t => lines.ReadLineAsync(t).AsTask(), WatchSilence, ct) is { } line)
        {
            if (line.StartsWith("id:", StringComparison.Ordinal) && long.TryParse(line.AsSpan(3).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var revision)) yield return revision;
        }
    }

    private async Task<T> GuardAsync<T>(Func<CancellationToken, Task<T>> read, TimeSpan most, CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(most, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try { return await read(limit.Token); }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested) { throw new CtrlException($"/v1/watch: silent for {most.TotalSeconds} s", status: null, e); }
        catch (HttpRequestException e) { throw new CtrlException($"/v1/watch: {e.Message}", status: null, e); }
        catch (IOException e) { throw new CtrlException($"/v1/watch: {e.Message}", status: null, e); }
    }
}
