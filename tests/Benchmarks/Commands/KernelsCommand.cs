using System.CommandLine;
using System.Text.Json;
using NanoAspire.Benchmarks.Compute;

namespace NanoAspire.Benchmarks.Commands;

/// <summary><c>kernels [--features 4096] [--columns 4096] [--rows 1 8 256] [--threads 2] [--json]</c></summary>
internal static class KernelsCommand
{
    private const int Most = 65536;

    public static Command Create()
    {
        var features = new Option<int>("--features") { DefaultValueFactory = _ => 4096 };
        var columns = new Option<int>("--columns") { DefaultValueFactory = _ => 4096, Description = "An even number" };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 2 };
        var rows = new Option<int[]>("--rows") { DefaultValueFactory = _ => [1, 8, 256], AllowMultipleArgumentsPerToken = true };
        var json = new Option<bool>("--json");
        foreach (var option in (Option<int>[])[features, columns, threads])
            option.Validators.Add(result => { if (result.GetValue(option) is < 1 or > Most) result.AddError($"{option.Name} must be 1 to {Most}"); });
        columns.Validators.Add(result => { if (result.GetValue(columns) % 2 != 0) result.AddError("--columns must be even"); });
        rows.Validators.Add(result => { if (result.GetValue(rows)!.Any(count => count is < 1 or > Most)) result.AddError($"--rows must be 1 to {Most}"); });
        var command = new Command("kernels", "Matrix products with weights of every type, against measured multiply-add and read ceilings.") { features, columns, rows, threads, json };
        command.SetAction(parsed =>
        {
            var report = KernelBenchmark.Run(parsed.GetValue(features), parsed.GetValue(columns), parsed.GetValue(rows)!, parsed.GetValue(threads));
            Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(report) : report.ToText());
        });
        return command;
    }
}
