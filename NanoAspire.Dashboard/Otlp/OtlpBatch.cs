namespace NanoAspire.Dashboard.Otlp;

/// <summary>What a request held: the usable items, and how many were not.</summary>
internal sealed record OtlpBatch<T>(IReadOnlyList<T> Items, int Rejected);
