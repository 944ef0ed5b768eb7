using System.Diagnostics;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>Numbers that no model has, in every field, one at a time: refused in one line that names a field or a tensor, or a model that computes numbers.</summary>
public sealed class ConfigFuzzTests
{
    private static readonly string[] Values = ["0", "-1", "2147483647", "2147483648", "1073741824", "134217732", "65536", "4096", "1e308", "1e-300", "1", "null", "\"x\"", "[]", "{}"];
    private static readonly string[] RopeValues = ["0", "-1", "1", "1e-30", "1e6", "1e308", "2147483647", "null", "\"x\""];

    /// <summary>Of no random model, and read all the same.</summary>
    private static readonly string[] Optional =
    [
        "num_nextn_predict_layers", "moe_layer_freq", "qk_head_dim", "num_local_experts", "index_topk_freq", "partial_rotary_factor", "original_max_position_embeddings", "decoder_sparse_step",
        "mlp_only_layers", "layer_types", "mlp_layer_types", "indexer_types", "n_group", "topk_group", "swiglu_limit", "full_attention_interval", "shared_expert_intermediate_size",
    ];

    public static TheoryData<string> Families => [.. RandomFamilies.Names];

    [Theory, MemberData(nameof(Families))]
    public void No_number_in_a_configuration_is_more_than_a_message(string family)
    {
        using var checkpoint = RandomCheckpoint.Create(family, seed: 11);
        var config = checkpoint.Plan.Config;
        checkpoint.Plan.Text["rope_scaling"] ??= checkpoint.Plan.Text.ContainsKey("rope_parameters") ? null : new JsonObject { ["rope_type"] = "default" };
        var rope = checkpoint.Plan.Text["rope_scaling"] as JsonObject ?? (JsonObject)checkpoint.Plan.Text["rope_parameters"]!;
        foreach (var field in Optional) checkpoint.Plan.Text.TryAdd(field, null);
        var usual = ConfigText.Of(config);
        var (loads, problems) = (0, new List<string>());
        foreach (var place in Places(config).ToArray()) Try(place, Values);
        foreach (var type in (string[])["yarn", "linear", "llama3"])
        {
            rope.Remove("type");
            foreach (var (field, value) in ((string, JsonNode)[])[("rope_type", type), ("factor", 4.0), ("original_max_position_embeddings", 64), ("low_freq_factor", 1.0), ("high_freq_factor", 4.0), ("beta_fast", 32.0),
                ("beta_slow", 1.0), ("mscale", 1.0), ("mscale_all_dim", 1.0), ("attention_factor", 1.0)]) rope[field] = value;
            if (family == "deepseek_v4") rope.Remove("attention_factor");
            foreach (var field in rope.Select(entry => entry.Key).Where(field => field != "rope_type").ToArray()) Try(new(rope, field), RopeValues);
        }
        Assert.True(loads > 10, $"{loads} configurations were understood");
        Assert.True(problems.Count == 0, string.Join('\n', problems));

        void Try(Place place, string[] values)
        {
            var before = place.Value?.DeepClone();
            foreach (var value in values)
            {
                place.Value = JsonNode.Parse(value);
                if (Problem(checkpoint, place.Field, usual, ref loads) is { } problem) problems.Add($"{place.Field} = {value}: {problem}");
            }
            place.Value = before;
        }
    }

    /// <summary>Weights are only read where the configuration is another one and not refused.</summary>
    private static string? Problem(RandomCheckpoint checkpoint, string field, string usual, ref int loads)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            if (ConfigText.Of(checkpoint.Plan.Config) == usual && field != "eos_token_id") return null;
            File.WriteAllText(checkpoint.PathOf("config.json"), checkpoint.Plan.Config.ToJsonString());
            using var driver = new GreedyDriver(ModelLoader.Load(checkpoint.Folder, new() { Threads = 1, KvMemoryBytes = 16 << 20, MaxSequences = 1 }));
            loads++;
            var made = driver.Runner.Model.MaxPositions < 8 ? driver.Generate([2], 1) : driver.Generate([2, 3, 4, 5, 6], 3);
            return made.Logits.All(row => row.All(float.IsFinite)) ? null : "computes what is not a number";
        }
        catch (ModelLoadException e)
        {
            // Of two fields that contradict each other a message may name the other one.
            return e.Message.Contains("tensor ", StringComparison.Ordinal) || e.Message.StartsWith("config.json: ", StringComparison.Ordinal) ? null : e.Message;
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            return e.ToString();
        }
        finally
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20), $"{field}: {Stopwatch.GetElapsedTime(started)}");
        }
    }

    /// <summary>All numbers and nulls, those in lists too, and the lists.</summary>
    private static IEnumerable<Place> Places(JsonObject section)
    {
        foreach (var (field, value) in section.ToArray())
        {
            if (value is JsonObject inner)
            {
                foreach (var place in Places(inner)) yield return place;
                continue;
            }
            if (value is null or JsonArray || value.GetValueKind() == System.Text.Json.JsonValueKind.Number) yield return new(section, field);
            if (value is JsonArray { Count: > 0 } list) yield return new(section, field, list.Count - 1);
        }
    }

    private sealed record Place(JsonObject Section, string Field, int? Index = null)
    {
        public JsonNode? Value
        {
            get => Index is { } i ? Section[Field]![i] : Section[Field];
            set
            {
                if (Index is { } i) Section[Field]![i] = value;
                else Section[Field] = value;
            }
        }
    }
}
