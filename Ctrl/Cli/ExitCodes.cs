namespace NanoAspire.Ctrl.Cli;

internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Failure = 1;
    public const int Usage = 2;
    /// <summary>The process runs but does not answer: neither well nor gone.</summary>
    public const int Unhealthy = 3;
}
