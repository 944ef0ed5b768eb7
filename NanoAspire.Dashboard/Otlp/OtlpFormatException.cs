namespace NanoAspire.Dashboard.Otlp;

/// <summary>A request body that is not what its content type says.</summary>
internal sealed class OtlpFormatException(string message) : FormatException(message);
