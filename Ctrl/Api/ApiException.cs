namespace NanoAspire.Ctrl.Api;

/// <summary>A request that cannot be served as it is; becomes the reply.</summary>
internal sealed class ApiException(int status, string message) : Exception(message)
{
    public int Status => status;

    public static ApiException Malformed(string message) => new(StatusCodes.Status400BadRequest, message);

    /// <param name="field">Path of the offending field.</param>
    /// <param name="message">What is wrong with it.</param>
    public static ApiException Unfit(string field, string message) => new(StatusCodes.Status422UnprocessableEntity, $"{field}: {message}");
}
