namespace NanoAspire.Hosting.Run;

/// <summary>A process to be started. The environment is added to the host's own.</summary>
internal sealed record ProcessSpec(string FileName, IReadOnlyList<string> Arguments, string WorkingDirectory, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>Written to the process at once, then its input ends. Secrets go this way and not on the command line.</summary>
    public string StandardInput { get; init; } = "";

    /// <summary>How a person's stop command ends what the process stands for, where its own end would not.</summary>
    public Func<CancellationToken, Task>? Stop { get; init; }

    /// <summary>Run after the process has ended (a container's removal, a temporary folder).</summary>
    public Action? CleanUp { get; init; }
}
