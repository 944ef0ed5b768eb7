using System.CommandLine;
using NanoAspire.Benchmarks.Compute;

namespace NanoAspire.Benchmarks.Commands;

/// <summary><c>make-model OUT --shape qwen3-0.6b|qwen3-moe|tiny [--seed S] [--shard-bytes N]</c></summary>
internal static class MakeModelCommand
{
    public static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("out") { Description = "Folder to create" };
        var shape = new Option<string>("--shape") { DefaultValueFactory = _ => "qwen3-0.6b", Description = "qwen3-0.6b, qwen3-moe or tiny" };
        shape.AcceptOnlyFromAmong([.. RandomModel.Shapes.Keys]);
        var seed = new Option<int>("--seed") { DefaultValueFactory = _ => 1 };
        var shardBytes = new Option<long?>("--shard-bytes") { Description = "Split the weights into shards of at most this size" };
        var command = new Command("make-model", "Writes a Hugging Face folder with random bfloat16 weights.") { folder, shape, seed, shardBytes };
        command.SetAction(parsed =>
        {
            var target = parsed.GetValue(folder)!.FullName;
            RandomModel.Write(target, RandomModel.Shapes[parsed.GetValue(shape)!], parsed.GetValue(seed), parsed.GetValue(shardBytes) ?? long.MaxValue);
            Console.Error.WriteLine(target);
            return 0;
        });
        return command;
    }
}
