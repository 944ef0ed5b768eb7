using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace NanoAspire.Router.Images;

/// <summary><c>data:image/png;base64,…</c>, read without copying what is in it.</summary>
internal static class DataUrl
{
    /// <summary>Base64 decoded at a time: a multiple of four that no allocation is felt for.</summary>
    private const int Step = 32 << 10;
    private const int LongestType = 128;

    public static bool Is(ReadOnlySpan<byte> url) => url.Length >= 5 && Ascii.EqualsIgnoreCase(url[..5], "data:"u8);

    /// <summary>Null when the URL holds an image of at most so many bytes, else what is wrong with it.</summary>
    public static string? Check(ReadOnlySpan<byte> url, int maxBytes)
    {
        var comma = url[..Math.Min(url.Length, LongestType)].IndexOf((byte)',');
        if (comma < 0) return "is no data: URL";
        var type = url[5..comma];
        if (!type.StartsWith("image/"u8) || type.ContainsAnyExceptInRange((byte)'!', (byte)'~')) return "is no image: data:image/…;base64,… is";
        if (!type.EndsWith(";base64"u8)) return "is not in base64";
        if (!Base64.IsValid(url[(comma + 1)..], out var length) || length == 0) return "is not valid base64";
        return length > maxBytes ? $"has {length} bytes, the limit is {maxBytes}" : null;
    }

    /// <summary><c>sha256:…</c> of the image's bytes, for a URL that has been checked.</summary>
    public static string Digest(ReadOnlySpan<byte> url)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var data = url[(url.IndexOf((byte)',') + 1)..];
        Span<byte> bytes = new byte[Step];
        var status = System.Buffers.OperationStatus.NeedMoreData;
        while (!data.IsEmpty && status is not System.Buffers.OperationStatus.InvalidData)
        {
            // White space may make a step end inside a group of four: what is not consumed comes again.
            var step = data[..Math.Min(data.Length, Step)];
            status = Base64.DecodeFromUtf8(step, bytes, out var consumed, out var written, isFinalBlock: step.Length == data.Length);
            hash.AppendData(bytes[..written]);
            if (consumed == 0) break;
            data = data[consumed..];
        }
        return "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
