namespace Aspire.Hosting.ApplicationModel;

/// <summary>The commands that every process has.</summary>
public static class KnownResourceCommands
{
    public static readonly string StartCommand = "resource-start";
    public static readonly string StopCommand = "resource-stop";
    public static readonly string RestartCommand = "resource-restart";

    /// <summary>Adds an instance to a resource that was declared with replicas.</summary>
    internal static readonly string ScaleUpCommand = "scale-up";

    /// <summary>Takes an instance away: the one that the command is given to, or the newest.</summary>
    internal static readonly string ScaleDownCommand = "scale-down";

    /// <summary>Newer tools say <c>start</c>, <c>stop</c>, <c>restart</c>.</summary>
    internal static string Canonical(string name) => name switch
    {
        "start" => StartCommand,
        "stop" => StopCommand,
        "restart" => RestartCommand,
        _ => name,
    };
}
