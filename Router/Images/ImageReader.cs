using System.Buffers;
using System.Text;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Images;

/// <summary>Takes the images out of a request: the body names them by digest from then on, and is a chat of ordinary length again.</summary>
internal sealed class ImageReader(ImageFetcher fetcher, EncodeStage stage)
{
    /// <exception cref="BadRequestException">An image could not be fetched.</exception>
    public async Task<InferenceRequest> ReadAsync(InferenceRequest request, IReadOnlyList<ImagePart> parts, CancellationToken ct)
    {
        List<ImageToEncode> images = [];
        var order = new int[parts.Count];
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var references = new string[parts.Count];
        for (var part = 0; part < parts.Count; part++)
        {
            var url = parts[part].IsRemote ? await fetcher.FetchAsync(parts[part], ct) : parts[part].Url;
            var digest = DataUrl.Digest(url.Span);
            if (known.TryAdd(digest, images.Count)) images.Add(new ImageToEncode(digest, url));
            order[part] = known[digest];
            references[part] = $"\"urn:{digest}\"";
        }
        return request.With(new EncodedImages(images, order, stage), Replace(request.Body.Value("messages").Span, parts, references));
    }

    private static string Replace(ReadOnlySpan<byte> messages, IReadOnlyList<ImagePart> parts, string[] references)
    {
        var text = new ArrayBufferWriter<byte>(1024);
        var from = 0;
        for (var part = 0; part < parts.Count; part++)
        {
            text.Write(messages[from..parts[part].Start]);
            Encoding.UTF8.GetBytes(references[part], text);
            from = parts[part].End;
        }
        text.Write(messages[from..]);
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }
}
