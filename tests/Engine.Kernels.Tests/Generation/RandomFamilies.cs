using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

/// <summary>Random shapes of each family, as odd as its configuration allows.</summary>
internal static partial class RandomFamilies
{
    /// <summary>Contexts of the generated models.</summary>
    public const int MaxPositions = 512;

    private static readonly Dictionary<string, Func<Random, TensorPlan>> ByName = new(StringComparer.Ordinal)
    {
        ["qwen3"] = Qwen3,
        ["qwen3_moe"] = Qwen3Moe,
        ["qwen3_vl"] = Qwen3VL,
        ["qwen3_vl_moe"] = Qwen3VLMoe,
        ["qwen3_next"] = Qwen3Next,
        ["qwen3_5_moe"] = Qwen35Moe,
        ["deepseek_v3"] = DeepSeekV3,
        ["kimi_k2"] = KimiK2,
        ["deepseek_v32"] = DeepSeekV32,
        ["glm_moe_dsa"] = Glm5,
        ["deepseek_v4"] = DeepSeekV4,
        ["deepseek_v4, published"] = DeepSeekV4Published,
    };

    public static IEnumerable<string> Names => ByName.Keys;

    public static TensorPlan Plan(string family, Random random) => ByName[family](random);

    private static T Pick<T>(this Random random, params T[] choices) => choices[random.Next(choices.Length)];

    private static JsonArray List(params IEnumerable<int> numbers) => new([.. numbers.Select(n => (JsonNode)n)]);

    private static TensorPlan Start(string architecture, string modelType, int vocabulary)
    {
        var plan = new TensorPlan();
        plan.Config["architectures"] = new JsonArray(architecture);
        plan.Config["model_type"] = modelType;
        plan.Config["vocab_size"] = vocabulary;
        plan.Config["max_position_embeddings"] = MaxPositions;
        plan.Config["hidden_act"] = "silu";
        plan.Config["rms_norm_eps"] = 1e-6;
        plan.Config["eos_token_id"] = 1;
        return plan;
    }

    private static void Set(this TensorPlan plan, params (string Field, JsonNode? Value)[] fields)
    {
        foreach (var (field, value) in fields) plan.Config[field] = value;
    }

    /// <summary>Puts the fields so far into <c>text_config</c>.</summary>
    private static void Nest(this TensorPlan plan, string architecture, string modelType, params (string Field, JsonNode? Value)[] fields)
    {
        var text = (JsonObject)plan.Config.DeepClone();
        text.Remove("architectures");
        plan.Config.Clear();
        plan.Set([("architectures", new JsonArray(architecture)), ("model_type", modelType), ("text_config", text), .. fields]);
    }

    private static TensorPlan Qwen3(Random random) => Qwen(random, experts: 0);

    private static TensorPlan Qwen3Moe(Random random) => Qwen(random, random.Next(1, 9));

    private static TensorPlan Qwen3VL(Random random) => Qwen(random, experts: 0, images: true);

    private static TensorPlan Qwen3VLMoe(Random random) => Qwen(random, random.Next(1, 9), images: true);

    private static TensorPlan Qwen(Random random, int experts, bool images = false)
    {
        var root = images ? "model.language_model." : "model.";
        var (vocabulary, hidden, size, layers) = (random.Next(40, 300), random.Next(17, 90), random.Next(9, 130), random.Next(1, 4));
        var (kv, group, dim) = (random.Next(1, 4), random.Pick(1, 2, 3, 5), random.Pick(16, 24, 32, 50, 80));
        var tied = random.Next(2) == 0;
        var (chosen, inner, step, dense) = (random.Next(1, Math.Max(1, experts) + 1), random.Next(5, 40), random.Next(1, 3), random.Next(layers));
        var plan = experts == 0 ? Start("Qwen3ForCausalLM", "qwen3", vocabulary) : Start("Qwen3MoeForCausalLM", "qwen3_moe", vocabulary);
        plan.Set(("hidden_size", hidden), ("intermediate_size", size), ("num_hidden_layers", layers), ("num_attention_heads", kv * group),
            ("num_key_value_heads", kv), ("head_dim", dim), ("rope_theta", random.Pick(10_000, 1_000_000)), ("tie_word_embeddings", tied));
        plan.Set(("rope_scaling", random.Pick<JsonObject?>(
            null,
            new() { ["type"] = "yarn", ["factor"] = 4.0, ["original_max_position_embeddings"] = 64 },
            new() { ["type"] = "linear", ["factor"] = 4.0 },
            new() { ["rope_type"] = "llama3", ["factor"] = 8.0, ["low_freq_factor"] = 1.0, ["high_freq_factor"] = 4.0, ["original_max_position_embeddings"] = 64 })));
        if (experts > 0)
            plan.Set(("num_experts", experts), ("num_experts_per_tok", chosen), ("moe_intermediate_size", inner), ("norm_topk_prob", images || random.Next(2) == 0), ("decoder_sparse_step", step), ("mlp_only_layers", List(dense)));
        plan.Matrix(root + "embed_tokens.weight", vocabulary, hidden);
        for (var layer = 0; layer < layers; layer++)
        {
            var prefix = $"{root}layers.{layer}.";
            Gqa(plan, prefix, hidden, kv * group, kv, dim);
            if (experts > 0 && (layer + 1) % step == 0 && layer != dense) Experts(plan, prefix + "mlp.", hidden, experts, inner, stacked: images, inputsFirst: images);
            else Mlp(plan, prefix + "mlp.", hidden, size);
        }
        plan.Norm(root + "norm.weight", hidden);
        if (!tied) plan.Matrix("lm_head.weight", vocabulary, hidden);
        if (!images) return plan;
        plan.Set(("rope_scaling", new JsonObject { ["rope_type"] = "default", ["mrope_interleaved"] = true, ["mrope_section"] = Sections(random, dim / 2) }));
        var (architecture, modelType) = experts == 0 ? ("Qwen3VLForConditionalGeneration", "qwen3_vl") : ("Qwen3VLMoeForConditionalGeneration", "qwen3_vl_moe");
        plan.Nest(architecture, modelType, ("image_token_id", vocabulary - 1),
            ("vision_config", new JsonObject { ["deepstack_visual_indexes"] = List(Enumerable.Range(0, random.Next(0, layers + 1))) }));
        return plan;
    }

    /// <summary>Pairs of time, row and column.</summary>
    private static JsonArray Sections(Random random, int pairs)
    {
        var rows = random.Next(0, pairs / 3 + 1);
        return List(pairs - 2 * rows, rows, rows);
    }

    /// <summary>Qwen3-MoE of chosen shapes.</summary>
    public static TensorPlan Mixture(int vocabulary, int hidden, int size, int layers, int experts)
    {
        const int Heads = 8, Kv = 2, Dim = 64;
        var plan = Start("Qwen3MoeForCausalLM", "qwen3_moe", vocabulary);
        plan.Set(("hidden_size", hidden), ("intermediate_size", size), ("num_hidden_layers", layers), ("num_attention_heads", Heads), ("num_key_value_heads", Kv), ("head_dim", Dim),
            ("rope_theta", 10_000), ("tie_word_embeddings", true), ("num_experts", experts), ("num_experts_per_tok", 2), ("moe_intermediate_size", size));
        plan.Matrix("model.embed_tokens.weight", vocabulary, hidden);
        for (var layer = 0; layer < layers; layer++)
        {
            Gqa(plan, $"model.layers.{layer}.", hidden, Heads, Kv, Dim);
            Experts(plan, $"model.layers.{layer}.mlp.", hidden, experts, size);
        }
        plan.Norm("model.norm.weight", hidden);
        return plan;
    }

    private static void Gqa(TensorPlan plan, string prefix, int hidden, int heads, int kv, int dim)
    {
        plan.Norm(prefix + "input_layernorm.weight", hidden);
        plan.Norm(prefix + "post_attention_layernorm.weight", hidden);
        plan.Matrix(prefix + "self_attn.q_proj.weight", heads * dim, hidden);
        plan.Matrix(prefix + "self_attn.k_proj.weight", kv * dim, hidden);
        plan.Matrix(prefix + "self_attn.v_proj.weight", kv * dim, hidden);
        plan.Matrix(prefix + "self_attn.o_proj.weight", hidden, heads * dim);
        plan.Norm(prefix + "self_attn.q_norm.weight", dim);
        plan.Norm(prefix + "self_attn.k_norm.weight", dim);
    }

    private static void Experts(TensorPlan plan, string prefix, int hidden, int experts, int size, bool stacked = false, bool inputsFirst = false)
    {
        plan.Matrix(prefix + "gate.weight", experts, hidden);
        if (stacked && inputsFirst)
        {
            plan.Normal(prefix + "experts.gate_up_proj", 1 / Math.Sqrt(hidden), experts, hidden, 2 * size);
            plan.Normal(prefix + "experts.down_proj", 1 / Math.Sqrt(size), experts, size, hidden);
        }
        else if (stacked)
        {
            plan.Matrix(prefix + "experts.gate_up_proj", experts, 2 * size, hidden);
            plan.Matrix(prefix + "experts.down_proj", experts, hidden, size);
        }
        else for (var expert = 0; expert < experts; expert++) Mlp(plan, $"{prefix}experts.{expert}.", hidden, size);
    }

    private static void Mlp(TensorPlan plan, string prefix, int hidden, int size)
    {
        plan.Matrix(prefix + "gate_proj.weight", size, hidden);
        plan.Matrix(prefix + "up_proj.weight", size, hidden);
        plan.Matrix(prefix + "down_proj.weight", hidden, size);
    }
}
