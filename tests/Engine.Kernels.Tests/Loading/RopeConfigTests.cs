using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Tests.Models;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>Two spellings of the same rotation, in one configuration: they agree, or it is refused.</summary>
public sealed class RopeConfigTests
{
    [Theory]
    [InlineData("""{"rope_theta":10000}""", "config.json: rope_parameters differs from rope_scaling")]
    [InlineData("""{"rope_type":"default"}""", "config.json: rope_parameters differs from rope_scaling")]
    [InlineData("""{"rope_type":"yarn","factor":4,"original_max_position_embeddings":128}""", "config.json: rope_parameters differs from rope_scaling")]
    [InlineData("""{"rope_type":"yarn","factor":4,"original_max_position_embeddings":64,"beta_fast":16}""", "config.json: rope_parameters differs from rope_scaling")]
    [InlineData("""{"rope_type":"yarn","factor":4,"original_max_position_embeddings":64,"rope_theta":5000}""", "config.json: rope_theta is 5000 in one place and 10000 in another")]
    [InlineData("""{"rope_type":"yarn","factor":4,"original_max_position_embeddings":64,"rope_theta":10000}""", null)]
    [InlineData("""{"type":"yarn","factor":4.00,"original_max_position_embeddings":64,"mscale":null}""", null)]
    [InlineData("{}", null)]
    public void Rope_parameters_beside_rope_scaling_say_the_same(string parameters, string? message)
    {
        using var golden = new GoldenCheckpoint("qwen3-dense-yarn");
        var usual = ConfigText.Of(golden.Config);
        golden.Config["rope_parameters"] = JsonNode.Parse(parameters);
        if (message is null) Assert.Equal(usual, ConfigText.Of(golden.Config));
        else Assert.Equal(message, golden.Fails());
    }

    [Theory]
    [InlineData("""{"rope_type":"yarn","type":"linear","factor":4}""", "rope_scaling: rope_type 'yarn' is not type 'linear'")]
    [InlineData("""{"rope_type":"yarn","factor":4,"original_max_position_embeddings":64,"rope_theta":20000}""", "rope_theta is 20000 in one place and 10000 in another")]
    [InlineData("""{"rope_type":"yarn","factor":2e6}""", "rope_scaling: factor (2000000) is more than 1000000")]
    [InlineData("""{"full_attention":{"rope_type":"default"}}""", "rope_scaling by layer type is not supported by this architecture")]
    public void A_section_that_contradicts_itself_or_the_rest_is_refused(string scaling, string message)
    {
        var config = Config();
        config["rope_scaling"] = JsonNode.Parse(scaling);
        Assert.Equal("config.json: " + message, ConfigText.Fails(config));
    }

    [Theory, InlineData("1", "(1) must be more than 1"), InlineData("0.5", "(0.5) must be more than 1"), InlineData("1e-300", "(1E-300) is less than 1E-30"), InlineData("1e31", "(1E+31) is more than 1E+30")]
    public void A_base_that_turns_no_pair_slower_is_refused(string theta, string message)
    {
        var config = Config();
        config["rope_theta"] = JsonNode.Parse(theta);
        Assert.Equal("config.json: rope_theta " + message, ConfigText.Fails(config));
    }

    [Fact]
    public void The_length_of_training_may_stand_beside_the_section_if_it_is_the_same()
    {
        var config = Config();
        var usual = ConfigText.Of(config);
        config["original_max_position_embeddings"] = 64;
        Assert.Equal(usual, ConfigText.Of(config));
        config["rope_scaling"]!.AsObject().Remove("original_max_position_embeddings");
        Assert.Equal(usual, ConfigText.Of(config));
        config["rope_scaling"]!["original_max_position_embeddings"] = 32;
        Assert.Equal("config.json: original_max_position_embeddings (64) differs from that of the rotation (32)", ConfigText.Fails(config));
    }

    /// <summary>As transformers computes it: the scores of latent attention take mscale_all_dim with any rotation that scales.</summary>
    [Theory, InlineData("yarn"), InlineData("linear"), InlineData("llama3")]
    public void Scores_of_latent_attention_take_their_factor_with_every_scaling(string type)
    {
        using var document = JsonDocument.Parse("""{"rope_scaling":{"rope_type":"TYPE","factor":4,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":64,"mscale_all_dim":0.5}}""".Replace("TYPE", type, StringComparison.Ordinal));
        var read = RopeConfig.Read(new(document.RootElement, "config.json"), maxPositions: 256);
        Assert.Equal(Math.Pow(0.1 * 0.5 * Math.Log(4) + 1, 2), read.Scaling!.ScoreFactor, 1e-12);
    }

    private static JsonObject Config() => JsonNode.Parse(File.ReadAllText(Path.Combine(GoldenCase.Folder("qwen3-dense-yarn"), "config.json")))!.AsObject();
}
