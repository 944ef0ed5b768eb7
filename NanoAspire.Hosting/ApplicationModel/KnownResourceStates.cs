namespace Aspire.Hosting.ApplicationModel;

/// <summary>The states that the orchestrator uses.</summary>
public static class KnownResourceStates
{
    public static readonly string NotStarted = nameof(NotStarted);
    public static readonly string Waiting = nameof(Waiting);
    public static readonly string Starting = nameof(Starting);
    public static readonly string Running = nameof(Running);
    public static readonly string RuntimeUnhealthy = nameof(RuntimeUnhealthy);
    public static readonly string FailedToStart = nameof(FailedToStart);
    public static readonly string Stopping = nameof(Stopping);
    public static readonly string Exited = nameof(Exited);
    public static readonly string Finished = nameof(Finished);
    public static readonly string Active = nameof(Active);

    /// <summary>States that a resource leaves only by a command.</summary>
    public static readonly IReadOnlyList<string> TerminalStates = [Finished, FailedToStart, Exited];

    /// <summary>The process died and is about to be started again.</summary>
    internal static readonly string Restarting = nameof(Restarting);

    /// <summary>Nothing on this machine can run the resource; its consumers do without.</summary>
    internal static readonly string Unavailable = nameof(Unavailable);
}
