using System.Diagnostics;
using System.Globalization;
using NanoAspire.Engine.Kernels.Tests.Generation;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>A sharded mixture of experts goes from its files into place without a second copy.</summary>
public sealed class LoadMemoryTests
{
    private const int Shards = 4;

    [Theory, InlineData("qwen3_moe"), InlineData("deepseek_v4, published")]
    public async Task Loading_never_holds_much_more_than_the_weights(string family)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        using var small = RandomCheckpoint.Create(family, seed: 0);
        using var large = RandomCheckpoint.Write(family == "qwen3_moe" ? Large() : RandomFamilies.DeepSeekV4Published(new Random(2), hidden: 1024, size: 1024, experts: 80), new Random(1), "BF16", Shards);
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "LoadingPeer.dll"), small.Folder, large.Folder]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        var numbers = output.Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        var (weights, rise) = (numbers[0], numbers[1]);
        Assert.True(weights > 250 << 20, $"{weights} bytes of weights are too few to tell");
        TestContext.Current.SendDiagnosticMessage($"{(double)rise / weights:F3} of the weights");
        Assert.True(rise >= 0.9 * weights, $"resident memory rose by {rise} bytes, less than the {weights} of the weights: what is measured?");
        Assert.True(rise <= 1.15 * weights, $"resident memory rose by {rise} bytes for {weights} bytes of weights");
    }

    [Fact]
    public void A_missing_shard_is_named()
    {
        using var checkpoint = RandomCheckpoint.Write(RandomFamilies.Plan("qwen3_moe", new Random(2)), new Random(2), shards: Shards);
        var missing = $"model-00003-of-0000{Shards}.safetensors";
        File.Delete(checkpoint.PathOf(missing));
        var e = Assert.Throws<ModelLoadException>(() => ModelLoader.Load(checkpoint.Folder, new() { Threads = 1 }));
        Assert.Equal($"{missing}: missing, though model.safetensors.index.json names it", e.Message);
    }

    [Fact]
    public void Progress_rises_to_all_of_the_bytes_once()
    {
        using var checkpoint = RandomCheckpoint.Write(RandomFamilies.Plan("deepseek_v4", new Random(3)), new Random(3), shards: Shards);
        var reports = new Recorder();
        ModelLoader.Load(checkpoint.Folder, new() { Threads = 2 }, progress: reports).Dispose();
        Assert.All(reports.Seen.Zip(reports.Seen.Skip(1)), pair => Assert.InRange(pair.First.BytesRead, 0, pair.Second.BytesRead));
        Assert.True(reports.Seen.Count > 10);
        Assert.Equal(reports.Seen[^1].TotalBytes, reports.Seen[^1].BytesRead);
        Assert.Single(reports.Seen, report => report.BytesRead == report.TotalBytes);
    }

    /// <summary>Some 300 MB in bfloat16, nearly all of it experts.</summary>
    private static TensorPlan Large()
    {
        const int Hidden = 512, Size = 384, Experts = 80, Layers = 3;
        var plan = RandomFamilies.Mixture(vocabulary: 1024, Hidden, Size, Layers, Experts);
        Assert.True(plan.Tensors.Values.Sum(tensor => tensor.Count) > 140_000_000);
        return plan;
    }

    private sealed class Recorder : IProgress<LoadProgress>
    {
        public List<LoadProgress> Seen { get; } = [];

        public void Report(LoadProgress value) => Seen.Add(value);
    }
}
