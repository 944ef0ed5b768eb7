namespace Aspire.Hosting.ApplicationModel;

/// <summary>The commands that every process has.</summary>
public static class KnownResourceCommands
{
    public static readonly string StartCommand = "resource-start";
    public static readonly string StopCommand = "resource-stop";
    public static readonly string RestartCommand = "resource-restart";

    /// <summary>Newer tools say <c>start</c>, <c>stop</c>, <c>restart</c>.</summary>
    internal static string Canonical(string name) => name switch
    {
        "start" => StartCommand,
        "stop" => StopCommand,
        "restart" => RestartCommand,
        _ => name,
    };
}
