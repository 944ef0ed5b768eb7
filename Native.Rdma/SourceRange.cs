namespace NanoAspire.Native.Rdma;

/// <summary>A piece of a source region as a reader asked for it; already known to lie inside the region.</summary>
public readonly record struct SourceRange(ulong Offset, ulong Length);
