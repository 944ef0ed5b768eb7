using System.CommandLine;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Server.Commands;
using NanoAspire.Engine.Speculation;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Server.Tests;

public sealed class SpeculationTests
{
    /// <summary>Text that quotes itself, so that there is something to look up.</summary>
    private const string Prompt = "a b c d e f g h a b c d e f g h a b c d e f g h a b";

    [Fact]
    public async Task Answers_are_the_same_and_the_engine_says_what_it_guessed()
    {
        await using var plain = await RunningEngine.StartAsync();
        await using var guessing = await RunningEngine.StartAsync(options: new() { MaxSequences = 16, Speculation = SpeculationMethod.NGram, SpeculativeTokens = 5 });
        foreach (var temperature in (double[])[0, 0.9])
        {
            var body = new { model = plain.Model.Name, prompt = Prompt, max_tokens = 60, temperature, seed = 3, logprobs = 2, ignore_eos = true };
            var (expected, actual) = (await plain.PostAsync("/v1/completions", body), await guessing.PostAsync("/v1/completions", body));
            Assert.Equal(expected["choices"]!.ToJsonString(), actual["choices"]!.ToJsonString());
            Assert.Equal(expected["usage"]!.ToJsonString(), actual["usage"]!.ToJsonString());
            Assert.Equal(string.Concat(Texts(await plain.StreamAsync("/v1/completions", Streamed(temperature)))), string.Concat(Texts(await guessing.StreamAsync("/v1/completions", Streamed(temperature)))));
        }
        Assert.Equal(0, plain.Model.Loop.Status.DraftedTokens);
        Assert.InRange(guessing.Model.Loop.Status.AcceptedTokens, 1, guessing.Model.Loop.Status.DraftedTokens);
        var metrics = await guessing.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        foreach (var name in (string[])["draft_tokens_total", "accepted_draft_tokens_total", "draft_acceptance_rate"]) Assert.Contains(name, metrics, StringComparison.Ordinal);

        Assert.Equal(("off", 0), await Config(plain));
        Assert.Equal(("ngram", 5), await Config(guessing));

        object Streamed(double temperature) => new { model = plain.Model.Name, prompt = Prompt, max_tokens = 60, temperature, seed = 3, ignore_eos = true, stream = true };
    }

    [Fact]
    public async Task A_model_drafts_with_its_own_module()
    {
        var folder = Path.Combine(RepositoryPaths.Goldens, "deepseek-v3");
        await using var plain = await RunningEngine.StartAsync(folder: folder);
        await using var drafting = await RunningEngine.StartAsync(folder: folder, options: new() { MaxSequences = 16, Speculation = SpeculationMethod.Mtp, SpeculativeTokens = 2 }, load: load => load with { DraftModule = true });
        var body = new { model = plain.Model.Name, prompt = new[] { 5, 6, 7, 8, 9 }, max_tokens = 20, temperature = 0, ignore_eos = true, return_token_ids = true };
        Assert.Equal((await plain.PostAsync("/v1/completions", body))["choices"]!.ToJsonString(), (await drafting.PostAsync("/v1/completions", body))["choices"]!.ToJsonString());
        Assert.True(drafting.Model.Loop.Status.DraftedTokens > 0);
        Assert.Equal(("mtp", 2), await Config(drafting));
    }

    [Theory]
    [InlineData(SpeculationMethod.Off, 4, "DIR")]
    [InlineData(SpeculationMethod.NGram, 4, "DIR", "--speculative", "ngram")]
    [InlineData(SpeculationMethod.Mtp, 2, "DIR", "--speculative", "mtp", "--num_speculative_tokens", "2")]
    public void The_command_line_chooses(SpeculationMethod method, int tokens, params string[] arguments)
    {
        var settings = Read(arguments);
        Assert.Equal((method, tokens, method == SpeculationMethod.Mtp), (settings.Engine.Speculation, settings.Engine.SpeculativeTokens, settings.Load.DraftModule));
    }

    [Theory]
    [InlineData("--speculative 'oracle' is not one of off, ngram, mtp", "DIR", "--speculative", "oracle")]
    [InlineData("num-speculative-tokens must be between 1 and 8", "DIR", "--speculative", "ngram", "--num-speculative-tokens", "9")]
    public void Mistakes_are_named(string expected, params string[] arguments) => Assert.Equal(expected, Assert.Throws<UsageException>(() => Read(arguments)).Message);

    private static EngineSettings Read(string[] arguments)
    {
        var (options, command) = (new EngineCommandOptions(), new RootCommand());
        options.AddTo(command);
        return options.Read(command.Parse(arguments));
    }

    private static async Task<(string, int)> Config(RunningEngine engine)
    {
        var config = JsonNode.Parse(await engine.Http.GetStringAsync(new Uri("/engine/config", UriKind.Relative)))!;
        return (config["speculative"]!.GetValue<string>(), config["num_speculative_tokens"]!.GetValue<int>());
    }

    private static IEnumerable<string> Texts(IEnumerable<string> events) =>
        events.Where(data => data != "[DONE]").SelectMany(data => JsonNode.Parse(data)!["choices"]!.AsArray()).Select(choice => choice!["text"]!.GetValue<string>());
}
