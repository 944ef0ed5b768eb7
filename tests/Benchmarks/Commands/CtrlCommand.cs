using System.CommandLine;
using System.Text.Json;
using NanoAspire.Benchmarks.Control;

namespace NanoAspire.Benchmarks.Commands;

/// <summary><c>ctrl [--engines 1,1000,10000] [--connections 32] [--seconds 2] [--json]</c></summary>
internal static class CtrlCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create()
    {
        var engines = new Option<string>("--engines") { Description = "Numbers of registered engines, comma-separated", DefaultValueFactory = _ => "1,1000,10000" };
        var connections = new Option<int>("--connections") { DefaultValueFactory = _ => 32 };
        var seconds = new Option<double>("--seconds") { Description = "Length of each measurement", DefaultValueFactory = _ => 2 };
        var json = new Option<bool>("--json");
        connections.Validators.Add(result => { if (result.GetValue(connections) is < 1 or > 1024) result.AddError("--connections must be between 1 and 1024"); });
        seconds.Validators.Add(result => { if (result.GetValue(seconds) is not (> 0 and <= 60)) result.AddError("--seconds must be between 0 and 60"); });
        engines.Validators.Add(result => { if (Numbers(result.GetValue(engines)) is null) result.AddError("--engines expects numbers such as 1,1000"); });
        var command = new Command("ctrl", "Registrations, heartbeats and look-ups a second on both stores, against plain Redis round trips.") { engines, connections, seconds, json };
        command.SetAction(async (parsed, ct) =>
        {
            var report = await CtrlBenchmark.RunAsync(Numbers(parsed.GetValue(engines))!, parsed.GetValue(connections), TimeSpan.FromSeconds(parsed.GetValue(seconds)), ct);
            Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(report, Json) : report.ToText());
            return 0;
        });
        return command;
    }

    private static int[]? Numbers(string? text)
    {
        var numbers = (text ?? "").Split(',').Select(part => int.TryParse(part, out var number) && number is > 0 and <= 100_000 ? number : 0).ToArray();
        return numbers.Contains(0) ? null : numbers;
    }
}
