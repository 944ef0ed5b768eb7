namespace NanoAspire.Router.Requests;

/// <summary>A request that no engine could serve; the message says why, for the client to read.</summary>
internal sealed class BadRequestException(string message, string? param = null, int status = 400, string? code = null) : Exception(message)
{
    /// <summary>The member of the body that is to blame.</summary>
    public string? Param { get; } = param;
    public int Status { get; } = status;
    public string? Code { get; } = code;
}
