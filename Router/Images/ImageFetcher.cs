using System.Text;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Images;

/// <summary>Fetches images from the hosts that an operator allows, so that encoders need no way out of their network.</summary>
internal sealed class ImageFetcher(RouterOptions options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly HttpMessageInvoker _invoker = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,   // a redirect would lead past the list of hosts
        ConnectTimeout = options.Deadlines.Connect,
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
    });

    /// <summary>The image as a data: URL.</summary>
    /// <exception cref="BadRequestException">There is no image at the address, or none that is small enough.</exception>
    public async Task<ReadOnlyMemory<byte>> FetchAsync(ImagePart image, CancellationToken ct)
    {
        using var deadline = new Deadline(Limit, time, ct);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Encoding.UTF8.GetString(image.Url.Span));
            using var response = await _invoker.SendAsync(request, deadline.Token);
            if (!response.IsSuccessStatusCode) throw Failed($"status {(int)response.StatusCode}");
            if (response.Content.Headers.ContentType?.MediaType is not { } type || !type.StartsWith("image/", StringComparison.OrdinalIgnoreCase)) throw Failed("it is no image");
            if (await EngineClient.ReadAsync(response.Content, options.Images.MaxBytes, deadline.Token) is not { } bytes) throw Failed($"it has more than {options.Images.MaxBytes} bytes");
            ReadOnlyMemory<byte> url = Encoding.ASCII.GetBytes($"data:{type.ToLowerInvariant()};base64,{Convert.ToBase64String(bytes)}");
            return DataUrl.Check(url.Span, options.Images.MaxBytes) is { } wrong ? throw Failed($"it {wrong}") : url;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && deadline.Passed))
        {
            throw Failed(deadline.Passed ? "no answer in time" : e.Message);
        }

        BadRequestException Failed(string why) => new($"'{image.At}' could not be fetched: {why}", image.At, code: "invalid_image");
    }

    public void Dispose() => _invoker.Dispose();
}
