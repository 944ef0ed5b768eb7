using System.CommandLine;

namespace NanoAspire.Ctrl.Cli;

/// <summary>Says whether the service runs and answers: 0 when it answers, 1 when it is gone, 3 when it runs without answering.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1.5);

    public static Command Create()
    {
        var address = new Option<string?>("--address") { Description = "Server to look at (default: the one that was started here)" };
        var command = new Command("status", "Say whether the control plane runs and answers") { address };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(address), ct));
        return command;
    }

    private static async Task<int> RunAsync(string? given, CancellationToken ct)
    {
        var files = RuntimeFiles.FromEnvironment();
        var instance = files.Read();
        var alive = instance is { IsAlive: true };
        var address = given ?? instance?.Meta?.Address ?? $"http://127.0.0.1:{CtrlOptions.DefaultPort}";
        var down = await HealthProbe.CheckAsync(address, ProbeTimeout, ct);
        if (instance is not null && !alive) files.Remove();

        var process = alive ? "running" : down is null ? "running (managed elsewhere)" : "not running";
        Console.WriteLine($"pid: {(alive ? instance!.Pid : "-")}\nprocess: {process}\naddress: {address}\nhealth: {(down is null ? "ok" : $"down ({down})")}\nlog: {instance?.Meta?.Log ?? "-"}");
        return (alive, down) switch
        {
            (_, null) => ExitCodes.Ok,
            (true, _) => ExitCodes.Unhealthy,
            _ => ExitCodes.Failure,
        };
    }
}
