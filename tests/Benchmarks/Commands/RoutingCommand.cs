using System.CommandLine;
using System.Text.Json;
using NanoAspire.Benchmarks.Routing;

namespace NanoAspire.Benchmarks.Commands;

/// <summary><c>routing [--requests 12000] [--engines 16] [--rate 60] [--seed 1] [--json]</c></summary>
internal static class RoutingCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create()
    {
        var requests = new Option<int>("--requests") { Description = "Requests of the trace", DefaultValueFactory = _ => 12_000 };
        var engines = new Option<int>("--engines") { Description = "Simulated engines", DefaultValueFactory = _ => 16 };
        var rate = new Option<double>("--rate") { Description = "Requests a second", DefaultValueFactory = _ => 60 };
        var seed = new Option<int>("--seed") { DefaultValueFactory = _ => 1 };
        var json = new Option<bool>("--json");
        requests.Validators.Add(result => { if (result.GetValue(requests) is < 100 or > 1_000_000) result.AddError("--requests must be between 100 and 1000000"); });
        engines.Validators.Add(result => { if (result.GetValue(engines) is < 1 or > 1024) result.AddError("--engines must be between 1 and 1024"); });
        rate.Validators.Add(result => { if (result.GetValue(rate) is not (> 0 and <= 100_000)) result.AddError("--rate must be positive"); });
        var command = new Command("routing", "Plays a trace of shared-prefix sessions through every routing strategy, on simulated engines.") { requests, engines, rate, seed, json };
        command.SetAction((parsed, ct) =>
        {
            var report = RoutingBenchmark.Run(parsed.GetValue(requests), parsed.GetValue(engines), parsed.GetValue(rate), parsed.GetValue(seed), ct);
            Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(report, Json) : report.ToText());
            return Task.FromResult(0);
        });
        return command;
    }
}
