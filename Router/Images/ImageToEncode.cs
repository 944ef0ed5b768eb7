namespace NanoAspire.Router.Images;

/// <summary>An image as an encoder gets it.</summary>
/// <param name="Digest"><c>sha256:…</c> of its bytes: what caches and the prompt know it by.</param>
/// <param name="DataUrl">With everything in it.</param>
internal sealed record ImageToEncode(string Digest, ReadOnlyMemory<byte> DataUrl);
