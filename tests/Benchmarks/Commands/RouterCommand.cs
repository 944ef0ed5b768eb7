using System.CommandLine;
using System.Text.Json;
using NanoAspire.Benchmarks.Proxy;

namespace NanoAspire.Benchmarks.Commands;

/// <summary><c>router [--requests 5000] [--concurrency 64] [--tokens 2000] [--json]</c></summary>
internal static class RouterCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create()
    {
        var requests = new Option<int>("--requests") { DefaultValueFactory = _ => 5000 };
        var concurrency = new Option<int>("--concurrency") { Description = "Streams at a time", DefaultValueFactory = _ => 64 };
        var tokens = new Option<int>("--tokens") { Description = "Tokens of a stream", DefaultValueFactory = _ => 2000 };
        var json = new Option<bool>("--json");
        foreach (var option in (Option<int>[])[requests, concurrency, tokens])
            option.Validators.Add(result => { if (result.GetValue(option) is < 10 or > 1_000_000) result.AddError($"{option.Name} must be between 10 and 1000000"); });
        var command = new Command("router", "Latency the router adds and tokens it relays, against a direct connection and nginx.") { requests, concurrency, tokens, json };
        command.SetAction(async (parsed, ct) =>
        {
            var report = await RouterBenchmark.RunAsync(parsed.GetValue(requests), parsed.GetValue(concurrency), parsed.GetValue(tokens), ct);
            Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(report, Json) : report.ToText());
            return 0;
        });
        return command;
    }
}
