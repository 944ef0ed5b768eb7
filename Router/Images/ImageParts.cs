using System.Text;
using System.Text.Json;
using NanoAspire.Router.Options;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Images;

/// <summary>
/// Finds the images of a chat and holds them to the rules, whoever reads them later: how many, how large, and no address that would
/// have an engine fetch things from inside the network. Other media are held to the last one.
/// </summary>
internal static class ImageParts
{
    /// <exception cref="BadRequestException">An image breaks a rule; its param says which image.</exception>
    public static IReadOnlyList<ImagePart> Find(JsonObjectBytes body, ImageOptions options)
    {
        List<ImagePart> images = [];
        var reader = body.Reader("messages");
        for (var message = 0; reader.Read() && reader.TokenType is not JsonTokenType.EndArray; message++)
        {
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var isContent = reader.ValueTextEquals("content"u8);
                reader.Read();
                if (isContent && reader.TokenType is JsonTokenType.StartArray) ReadParts(ref reader, $"messages[{message}].content", body.Value("messages"), options, images);
                else reader.Skip();
            }
        }
        if (images.Count > options.MaxCount)
            throw new BadRequestException($"the messages have {images.Count} images, the limit is {options.MaxCount}", "messages", code: "too_many_images");
        return images;
    }

    private static void ReadParts(ref Utf8JsonReader reader, string content, ReadOnlyMemory<byte> messages, ImageOptions options, List<ImagePart> images)
    {
        for (var part = 0; reader.Read() && reader.TokenType is not JsonTokenType.EndArray; part++)
        {
            if (reader.TokenType is not JsonTokenType.StartObject) continue;
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                if (name is "image_url" or "image" or "video_url" or "video" or "audio_url") ReadMedia(ref reader, name, $"{content}[{part}].{name}", messages, options, images);
                else reader.Skip();
            }
        }
    }

    /// <summary>The URL itself, or an object that has it.</summary>
    private static void ReadMedia(ref Utf8JsonReader reader, string name, string at, ReadOnlyMemory<byte> messages, ImageOptions options, List<ImagePart> images)
    {
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            Take(ref reader, name, at);
            return;
        }
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var isUrl = reader.ValueTextEquals("url"u8);
            reader.Read();
            if (isUrl) Take(ref reader, name, at + ".url");
            reader.Skip();
        }

        void Take(ref Utf8JsonReader value, string kind, string where)
        {
            if (value.TokenType is JsonTokenType.String)
            {
                var (start, end) = ((int)value.TokenStartIndex, (int)value.BytesConsumed);
                var url = value.ValueIsEscaped ? Encoding.UTF8.GetBytes(value.GetString()!) : messages[(start + 1)..(end - 1)];
                var image = kind.StartsWith("image", StringComparison.Ordinal);
                Check(url.Span, where, image, options);
                if (image) images.Add(new ImagePart(where, start, end, url));
            }
            else value.Skip();
        }
    }

    private static void Check(ReadOnlySpan<byte> url, string at, bool image, ImageOptions options)
    {
        if (DataUrl.Is(url))
        {
            if (image && DataUrl.Check(url, options.MaxBytes) is { } wrong)
                throw new BadRequestException($"'{at}' {wrong}", at, code: wrong.StartsWith("has ", StringComparison.Ordinal) ? "image_too_large" : "invalid_image");
            return;
        }
        const int LongestUrl = 4096;
        if (url.Length > LongestUrl || !Uri.TryCreate(Encoding.UTF8.GetString(url), UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new BadRequestException($"'{at}' must be a data: URL", at, code: "invalid_image");
        if (!options.Allows(address))
            throw new BadRequestException($"'{at}' is at {address.Host}, from where nothing is fetched; send it as a data: URL", at, code: "remote_image_refused");
    }
}
