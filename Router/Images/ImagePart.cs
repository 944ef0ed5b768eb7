namespace NanoAspire.Router.Images;

/// <summary>A place in a request's messages that names an image.</summary>
/// <param name="At">For messages to the client: <c>messages[0].content[1].image_url.url</c>.</param>
/// <param name="Start">Of the URL's JSON text, quotes included, within that of <c>messages</c>.</param>
/// <param name="End">Behind it.</param>
/// <param name="Url">As text: unescaped, without quotes.</param>
internal sealed record ImagePart(string At, int Start, int End, ReadOnlyMemory<byte> Url)
{
    public bool IsRemote => !DataUrl.Is(Url.Span);
}
