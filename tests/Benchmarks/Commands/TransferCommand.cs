using System.CommandLine;
using System.Text.Json;
using NanoAspire.Benchmarks.Transfer;
using NanoAspire.Engine.Server.Commands;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Benchmarks.Commands;

/// <summary><c>transfer [--bytes 256MiB] [--block 64KiB] [--transport all|shm|ucx|tcp] [--json]</c></summary>
internal static class TransferCommand
{
    public static Command Create()
    {
        var bytes = new Option<string>("--bytes") { DefaultValueFactory = _ => "256MiB", Description = "Bytes one pass reads" };
        var block = new Option<string>("--block") { DefaultValueFactory = _ => "64KiB", Description = "Bytes a block" };
        var transport = new Option<string>("--transport") { DefaultValueFactory = _ => "all", Description = "shm, ucx, tcp or all of them" };
        var json = new Option<bool>("--json");
        transport.AcceptOnlyFromAmong("all", "shm", "ucx", "tcp");
        bytes.Validators.Add(result => { if (!TrySize(result.GetValue(bytes), 1L << 40, out _)) result.AddError("--bytes must be a size, at most 1TiB"); });
        block.Validators.Add(result => { if (!TrySize(result.GetValue(block), 1L << 30, out _)) result.AddError("--block must be a size, at most 1GiB"); });
        var command = new Command("transfer", "Reads blocks in random order from a second process, against a memory copy, a socket pump and ucx_perftest.") { bytes, block, transport, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            TrySize(parsed.GetValue(bytes), long.MaxValue, out var total);
            TrySize(parsed.GetValue(block), long.MaxValue, out var size);
            if (size > total)
            {
                Console.Error.WriteLine("--block must not be larger than --bytes");
                return 2;
            }
            try
            {
                string[] names = parsed.GetValue(transport) is "all" or null ? UcxLibrary.IsAvailable ? ["shm", "ucx", "tcp"] : ["shm", "tcp"] : [parsed.GetValue(transport)!];
                List<TransferReport> reports = [];
                foreach (var name in names)
                {
                    reports.Add(await TransferBenchmark.RunAsync(total / size * size, size, name, cancellationToken));
                    if (!parsed.GetValue(json)) Console.WriteLine(reports[^1].ToText());
                }
                if (parsed.GetValue(json)) Console.WriteLine(reports is [var only] ? JsonSerializer.Serialize(only) : JsonSerializer.Serialize(reports));
                return 0;
            }
            catch (Exception e) when (e is TransferException or IOException)
            {
                Console.Error.WriteLine(e.Message);
                return 1;
            }
        });
        return command;
    }

    private static bool TrySize(string? text, long limit, out long bytes)
    {
        bytes = 0;
        return text is not null && ByteSize.TryParse(text, out bytes) && bytes > 0 && bytes <= limit;
    }
}
