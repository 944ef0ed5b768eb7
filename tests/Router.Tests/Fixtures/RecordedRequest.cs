using System.Text.Json.Nodes;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>What an engine was sent.</summary>
internal sealed class RecordedRequest(string method, string path, IReadOnlyDictionary<string, string> headers, string text)
{
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Method => method;
    public string Path => path;
    public IReadOnlyDictionary<string, string> Headers => headers;
    public string Text => text;
    public JsonNode Body => JsonNode.Parse(text)!;
    public DateTime At { get; } = DateTime.UtcNow;
    /// <summary>Completes when the connection was closed before the answer was complete.</summary>
    public Task Aborted => _aborted.Task;

    public void MarkAborted() => _aborted.TrySetResult();
}
