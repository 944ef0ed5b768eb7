namespace NanoAspire.Engine.Server.Requests;

/// <summary>The client's mistake: answered with 400 (or <paramref name="status"/>) in OpenAI's error form.</summary>
internal sealed class BadRequestException(string message, string? param = null, string? code = null, int status = 400) : Exception(message)
{
    public string? Param { get; } = param;
    public string? Code { get; } = code;
    public int Status { get; } = status;
}
