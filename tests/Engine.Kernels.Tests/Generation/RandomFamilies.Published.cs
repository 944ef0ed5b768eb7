using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

/// <summary>DeepSeek-V4 in the form of its published weights.</summary>
internal static partial class RandomFamilies
{
    private static TensorPlan DeepSeekV4Published(Random random) =>
        Publish(DeepSeekV4(random, modules: null, shapes: (2 * random.Next(9, 40), 2 * random.Next(3, 20), random.Next(1, 9))), random);

    /// <summary>Experts of chosen shapes, 4 bits a number.</summary>
    public static TensorPlan DeepSeekV4Published(Random random, int hidden, int size, int experts, int modules = 0) =>
        Publish(DeepSeekV4(random, modules, shapes: (hidden, size, experts)), random);

    /// <summary>Only the experts in another form: the others stay numbers that need no factors.</summary>
    public static TensorPlan DeepSeekV4WithPackedExperts(Random random) =>
        Publish(DeepSeekV4(random, modules: 0, shapes: (2 * random.Next(9, 60), 2 * random.Next(3, 60), random.Next(1, 9))), random, dense: false);

    /// <summary>As exporters differ: either name of the factors, exponents or float32 ones beside E4M3, bytes or F4 for the experts.</summary>
    private static TensorPlan Publish(TensorPlan plan, Random random, bool dense = true)
    {
        var (suffix, factors, packed, (rows, columns)) = (random.Pick(".scale", ".scale", ".weight_scale_inv"), random.Pick("F8_E8M0", "F8_E8M0", "F32"), random.Pick("I8", "I8", "U8", "F4"), random.Pick((128, 128), (16, 32), (7, 9)));
        plan.Set(("expert_dtype", "fp4"), ("quantization_config", new JsonObject
        {
            ["activation_scheme"] = "dynamic", ["fmt"] = "e4m3", ["quant_method"] = "fp8", ["scale_fmt"] = "ue8m0", ["weight_block_size"] = List(rows, columns),
        }));
        foreach (var name in plan.Tensors.Keys.ToArray())
        {
            var scale = name.Replace(".weight", suffix, StringComparison.Ordinal);
            if (Expert().IsMatch(name)) plan.Quantise(name, packed, scale, "F8_E8M0", blockRows: 1, blockColumns: 32);
            else if (dense && Dense().IsMatch(name)) plan.Quantise(name, "F8_E4M3", scale, factors, rows, columns);
        }
        return plan;
    }

    [GeneratedRegex(@"\.ffn\.experts\.\d+\.w\d\.weight$")]
    private static partial Regex Expert();

    /// <summary>All but embedding, head, routers and what belongs to entries.</summary>
    [GeneratedRegex(@"\.attn\.(w\w+|indexer\.wq_b)\.weight$|\.shared_experts\.w\d\.weight$|^mtp\.\d+\.[eh]_proj\.weight$")]
    private static partial Regex Dense();
}
