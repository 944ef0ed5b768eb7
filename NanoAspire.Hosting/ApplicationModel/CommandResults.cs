namespace Aspire.Hosting.ApplicationModel;

/// <summary>Shorthands for <see cref="ExecuteCommandResult"/>.</summary>
public static class CommandResults
{
    public static ExecuteCommandResult Success() => new() { Success = true };
    public static ExecuteCommandResult Failure(string? errorMessage = null) => new() { Success = false, ErrorMessage = errorMessage };
    public static ExecuteCommandResult Failure(Exception exception) => Failure(exception.Message);
    public static ExecuteCommandResult Canceled() => new() { Success = false, Canceled = true };
}
