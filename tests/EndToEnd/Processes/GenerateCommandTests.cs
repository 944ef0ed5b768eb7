using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NanoAspire.Tests;

namespace NanoAspire.EndToEnd.Processes;

/// <summary>The offline command line as scripts use it: JSON on standard output, one line on standard error, exit codes 0, 1 and 2.</summary>
public sealed class GenerateCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nanoaspire-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> Goldens => [.. GoldenNames.All];

    [Theory, MemberData(nameof(Goldens))]
    public async Task Goldens_are_reproduced_from_the_command_line_whole_and_disaggregated(string name)
    {
        var folder = Path.Combine(RepositoryPaths.Goldens, name);
        var golden = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "golden.json")))!;
        var prompt = golden["prompts"]!.AsArray().Where(item => item!["vision_file_prefix"] is null).OrderBy(item => item!["prompt_ids"]!.AsArray().Count).Last()!;
        var file = Path.Combine(_folder, "ids.json");
        await File.WriteAllTextAsync(file, prompt["prompt_ids"]!.ToJsonString());
        string[] arguments = ["generate", folder, "--prompt-ids", "@" + file, "--max-tokens", "24", "--ignore-eos", "--logits-last", "--json", "--dtype", "f32", "--kv-dtype", "f32"];
        var whole = await GenerateAsync(arguments);
        var split = await GenerateAsync([.. arguments, "--disaggregated"]);

        Assert.Equal(Ints(prompt["greedy_ids"]!), Ints(whole["token_ids"]!));
        Assert.Equal(Ints(prompt["prompt_ids"]!), Ints(whole["prompt_token_ids"]!));
        Assert.Equal("length", whole["finish_reason"]!.GetValue<string>());
        var tolerance = golden["tolerance"]!["logits_abs"]!.GetValue<double>();
        var expected = prompt["logits_last"]!.AsArray();
        var actual = whole["logits_last"]!.AsArray();
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++) Assert.Equal(expected[i]!.GetValue<double>(), actual[i]!.GetValue<double>(), tolerance);
        Assert.Equal(whole.ToJsonString(), split.ToJsonString());
    }

    [Fact]
    public async Task The_demo_model_answers_a_chat_message_as_text_and_as_json()
    {
        var (code, text, _) = await ServiceProcess.RunAsync("DecodeEngine", "generate", RepositoryPaths.DemoModel, "--chat", "What is prefill?", "--max-tokens", "80");
        Assert.Equal(0, code);
        Assert.StartsWith("Prefill reads the whole prompt at once", text, StringComparison.Ordinal);
        var json = await GenerateAsync("generate", RepositoryPaths.DemoModel, "--chat", "What is prefill?", "--max_tokens", "80", "--json");
        Assert.Equal(text.TrimEnd('\n'), json["text"]!.GetValue<string>());
        Assert.Equal("stop", json["finish_reason"]!.GetValue<string>());
        Assert.Null(json["logits_last"]);
    }

    [Theory]
    [InlineData(2, "exactly one of", "generate", "DEMO")]
    [InlineData(2, "exactly one of", "generate", "DEMO", "--prompt", "a", "--chat", "b")]
    [InlineData(2, "is not a token id", "generate", "DEMO", "--prompt-ids", "1,x")]
    [InlineData(2, "outside the vocabulary", "generate", "DEMO", "--prompt-ids", "1,999999")]
    [InlineData(2, "max_tokens", "generate", "DEMO", "--prompt", "a", "--max-tokens", "0")]
    [InlineData(2, "--kv-memory", "generate", "DEMO", "--prompt", "a", "--kv-memory", "lots")]
    [InlineData(2, "--dtype", "generate", "DEMO", "--prompt", "a", "--dtype", "int3")]
    [InlineData(2, "--transport", "generate", "DEMO", "--prompt", "a", "--transport", "pigeon")]
    [InlineData(2, "--device cuda", "generate", "DEMO", "--prompt", "a", "--device", "cuda:0")]
    [InlineData(2, "--kv-dtype", "generate", "DEMO", "--prompt", "a", "--kv-dtype", "int8")]
    [InlineData(1, "max_position_embeddings", "generate", "DEMO", "--prompt", "a", "--max-model-len", "999999")]
    [InlineData(1, "kv-memory", "generate", "DEMO", "--prompt", "a", "--kv-memory", "1KiB")]
    [InlineData(2, "--speculative", "generate", "DEMO", "--prompt", "a", "--speculative", "oracle")]
    [InlineData(1, "qwen3 cannot draft by mtp", "generate", "DEMO", "--prompt", "a", "--speculative", "mtp")]
    [InlineData(2, "nonsense", "generate", "DEMO", "--nonsense")]
    [InlineData(2, "--mode", "serve", "DEMO", "--mode", "sideways")]
    [InlineData(1, "does not exist", "generate", "/nowhere/at/all", "--prompt", "a")]
    [InlineData(2, "tokenizer", "generate", "TIED", "--prompt", "a")]
    public async Task Mistakes_end_with_one_line_and_their_exit_code(int exitCode, string expected, params string[] arguments)
    {
        var real = arguments.Select(argument => argument switch
        {
            "DEMO" => RepositoryPaths.DemoModel,
            "TIED" => Path.Combine(RepositoryPaths.Goldens, "qwen3-dense-tied"),
            _ => argument,
        }).ToArray();
        var (code, output, error) = await ServiceProcess.RunAsync("DecodeEngine", real);
        Assert.Equal((exitCode, ""), (code, output));
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Guessing_ahead_changes_no_token()
    {
        string[] arguments = ["generate", RepositoryPaths.DemoModel, "--prompt", "one two three one two three one two", "--max-tokens", "40", "--json"];
        Assert.Equal((await GenerateAsync(arguments)).ToJsonString(), (await GenerateAsync([.. arguments, "--speculative", "ngram"])).ToJsonString());
        string[] drafting = ["generate", Path.Combine(RepositoryPaths.Goldens, "qwen3-next"), "--prompt-ids", "5,6,7,8,9,10", "--max-tokens", "20", "--ignore-eos", "--json"];
        var plain = (await GenerateAsync(drafting)).ToJsonString();
        Assert.Equal(plain, (await GenerateAsync([.. drafting, "--speculative", "mtp", "--num-speculative-tokens", "2"])).ToJsonString());
        Assert.Equal(plain, (await GenerateAsync([.. drafting, "--speculative", "mtp", "--disaggregated"])).ToJsonString());
    }

    [Fact]
    public async Task An_eight_bit_cache_says_what_the_demo_model_was_trained_on()
    {
        string[] arguments = ["generate", RepositoryPaths.DemoModel, "--prompt", "The capital of", "--max-tokens", "8"];
        var (exact, _, _) = await ServiceProcess.RunAsync("DecodeEngine", arguments);
        var (code, output, error) = await ServiceProcess.RunAsync("DecodeEngine", [.. arguments, "--kv-dtype", "fp8_e4m3", "--json"]);
        Assert.Equal((0, 0), (exact, code));
        Assert.Equal(8, JsonNode.Parse(output)!["token_ids"]!.AsArray().Count);
        Assert.DoesNotContain("rror", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("truncated", "model.safetensors")]
    [InlineData("missing", "model.safetensors")]
    [InlineData("unknown-type", "model_type")]
    [InlineData("nan", "NaN")]
    [InlineData("bad-config", "config.json")]
    public async Task Broken_model_folders_are_refused_by_name(string fault, string expected)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(RepositoryPaths.Goldens, "qwen3-dense-tied"))) File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        var weights = Path.Combine(_folder, "model.safetensors");
        var config = Path.Combine(_folder, "config.json");
        switch (fault)
        {
            case "truncated":
                await using (var stream = File.OpenWrite(weights)) stream.SetLength(stream.Length - 1000);
                break;
            case "missing": File.Delete(weights); break;
            case "unknown-type": await File.WriteAllTextAsync(config, (await File.ReadAllTextAsync(config)).Replace("qwen3", "gpt17", StringComparison.Ordinal).Replace("Qwen3", "Gpt17", StringComparison.Ordinal)); break;
            case "nan":
                await using (var stream = File.OpenWrite(weights))
                {
                    stream.Seek(-4, SeekOrigin.End);
                    stream.Write(BitConverter.GetBytes(float.NaN));
                }
                break;
            case "bad-config": await File.WriteAllTextAsync(config, "{"); break;
        }
        var (code, output, error) = await ServiceProcess.RunAsync("DecodeEngine", "generate", _folder, "--prompt-ids", "1,2,3", "--json");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(expected, error, StringComparison.OrdinalIgnoreCase);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task A_taken_port_ends_the_server_with_one_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var (code, _, error) = await ServiceProcess.RunAsync("DecodeEngine", "serve", RepositoryPaths.DemoModel, "--mode", "hybrid", "--port", port);
        Assert.Equal(1, code);
        Assert.Contains("address already in use", error, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<JsonNode> GenerateAsync(params string[] arguments)
    {
        var (code, output, error) = await ServiceProcess.RunAsync("DecodeEngine", arguments);
        Assert.True(code == 0, error);
        return JsonNode.Parse(output)!;
    }

    private static int[] Ints(JsonNode array) => [.. array.AsArray().Select(item => item!.GetValue<int>())];
}
