using System.Text;
using System.Text.Json.Nodes;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>Reads a response as a client of server-sent events would.</summary>
internal sealed class SseReader : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;

    private SseReader(HttpResponseMessage response, Stream stream)
    {
        _response = response;
        _reader = new StreamReader(stream, Encoding.UTF8);
    }

    public static async Task<SseReader> OpenAsync(HttpResponseMessage response)
    {
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new SseReader(response, await response.Content.ReadAsStreamAsync());
    }

    /// <summary>Data of the next event; null at the end of the stream.</summary>
    public async Task<string?> NextAsync()
    {
        List<string> data = [];
        while (await _reader.ReadLineAsync() is { } line)
        {
            if (line.Length == 0 && data.Count > 0) return string.Join('\n', data);
            if (line.StartsWith("data:", StringComparison.Ordinal)) data.Add(line["data:".Length..].TrimStart(' '));
        }
        return null;
    }

    public async Task<List<string>> RestAsync()
    {
        List<string> events = [];
        while (await NextAsync() is { } data) events.Add(data);
        return events;
    }

    /// <summary>The text that the events add up to.</summary>
    public static string Content(IEnumerable<string> events) => string.Concat(events.Where(data => data.StartsWith('{'))
        .SelectMany(data => (JsonNode.Parse(data)!["choices"] as JsonArray ?? []).Select(choice => (string?)choice!["delta"]?["content"] ?? (string?)choice["text"])));

    public ValueTask DisposeAsync()
    {
        _reader.Dispose();
        _response.Dispose();
        return default;
    }
}
