namespace Aspire.Hosting.ApplicationModel;

/// <summary>An image as people write it: <c>[registry/]name[:tag][@sha256:digest]</c>.</summary>
internal readonly record struct ContainerImageReference(string? Registry, string Image, string? Tag, string? Digest)
{
    private const string DigestMark = "@sha256:";

    /// <exception cref="ArgumentException">The text has an empty part.</exception>
    public static ContainerImageReference Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        var rest = text;
        string? digest = null, tag = null, registry = null;
        var mark = rest.IndexOf(DigestMark, StringComparison.Ordinal);
        if (mark >= 0) (rest, digest) = (rest[..mark], rest[(mark + DigestMark.Length)..]);
        var colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf('/')) (rest, tag) = (rest[..colon], rest[(colon + 1)..]);
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0 && IsHost(rest[..slash])) (registry, rest) = (rest[..slash], rest[(slash + 1)..]);
        if (rest.Length == 0 || tag is "" || digest is "") throw new ArgumentException($"'{text}' is not a container image: write [registry/]name[:tag][@sha256:digest].", nameof(text));
        return new(registry, rest, tag, digest);
    }

    /// <summary>The first part of a name is a registry when it could not be a user: it has a dot or a port, or is localhost.</summary>
    private static bool IsHost(string part) => part.Contains('.', StringComparison.Ordinal) || part.Contains(':', StringComparison.Ordinal) || part == "localhost";
}
