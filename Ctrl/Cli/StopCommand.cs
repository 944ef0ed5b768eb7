using System.CommandLine;
using System.Diagnostics;

namespace NanoAspire.Ctrl.Cli;

/// <summary>Ends the service that <c>start</c> began: first by asking, so that requests under way are answered.</summary>
internal static class StopCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ForceWait = TimeSpan.FromSeconds(2);

    public static Command Create()
    {
        var timeout = new Option<double>("--timeout") { Description = "Seconds to wait for the end", DefaultValueFactory = _ => 8.0 };
        var force = new Option<bool>("--force") { Description = "Kill it when it does not end in time" };
        var command = new Command("stop", "End the control plane that 'start' began") { timeout, force };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(timeout), parsed.GetValue(force), ct));
        return command;
    }

    private static async Task<int> RunAsync(double timeout, bool force, CancellationToken ct)
    {
        if (!double.IsFinite(timeout) || timeout < 0) return ServerCommand.Fail("--timeout: expected seconds", ExitCodes.Usage);
        var files = RuntimeFiles.FromEnvironment();
        using var guard = files.TryLock();
        if (guard is null) return ServerCommand.Fail($"another nanoctrl start or stop is at work in {files.Folder}", ExitCodes.Failure);
        if (files.Read() is not { } instance || !instance.IsAlive)
        {
            files.Remove();
            Console.WriteLine("nanoctrl is not running");
            return ExitCodes.Ok;
        }
        ProcessIdentity.Terminate(instance.Pid);
        var ended = await EndsAsync(instance, TimeSpan.FromSeconds(timeout), ct);
        if (!ended && force)
        {
            ProcessIdentity.ForceEnd(instance.Pid);
            ended = await EndsAsync(instance, ForceWait, ct);
        }
        if (!ended) return ServerCommand.Fail($"process {instance.Pid} did not end within {timeout} s", ExitCodes.Failure);
        files.Remove();
        Console.WriteLine($"nanoctrl stopped (pid={instance.Pid})");
        return ExitCodes.Ok;
    }

    private static async Task<bool> EndsAsync(RunningInstance instance, TimeSpan most, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        while (instance.IsAlive)
        {
            if (Stopwatch.GetElapsedTime(started) >= most) return false;
            await Task.Delay(PollInterval, ct);
        }
        return true;
    }
}
