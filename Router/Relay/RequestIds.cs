namespace NanoAspire.Router.Relay;

/// <summary>The id that a request carries through router, engines, logs and back to its client.</summary>
internal static class RequestIds
{
    public const string Header = "x-request-id";
    private const int MaxLength = 128;

    /// <summary>The client's id where it sent a usable one, else a new one.</summary>
    public static string Of(HttpRequest request) =>
        request.Headers[Header] is [{ Length: > 0 and <= MaxLength } given] && given.All(static c => c is > ' ' and < '\x7f')
            ? given
            : "req-" + Guid.CreateVersion7().ToString("N");
}
