namespace NanoAspire.Dashboard.Otlp;

/// <summary>What is kept of one record. What exceeds it is cut off, not refused: a long attribute is no reason to lose a span.</summary>
internal static class OtlpLimits
{
    public const int Attributes = 128;
    public const int TextLength = 8192;
    public const int Events = 128;
    public const int Links = 128;
    public const int Buckets = 512;

    /// <summary>Lists and maps inside of each other.</summary>
    public const int Depth = 8;
}
