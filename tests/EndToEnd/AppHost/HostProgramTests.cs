using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using NanoAspire.Tests;

namespace NanoAspire.EndToEnd.AppHost;

public sealed class HostProgramTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("--nonsense", "--nonsense", "1")]
    [InlineData("needs a value", "--model")]
    [InlineData("--decode takes a number", "--decode", "0")]
    [InlineData("--prefill takes a number", "--prefill", "many")]
    [InlineData("unexpected argument", "serve")]
    [InlineData("vision encoder", "--encoder", "1")]
    public async Task A_wrong_option_ends_with_one_line_and_code_2(string expected, params string[] args)
    {
        using var host = HostProgram.Start(args);
        Assert.Equal(2, await host.ExitAsync());
        Assert.Contains(expected, Assert.Single(host.Errors), StringComparison.Ordinal);
        Assert.Empty(host.Output);
    }

    [Fact]
    public async Task A_publisher_that_is_not_there_ends_with_one_line_and_code_2()
    {
        using var host = HostProgram.Start("--publisher", "nomad", "--output-path", Path.GetTempPath());
        Assert.Equal(2, await host.ExitAsync());
        Assert.Contains("manifest, docker-compose, kubernetes", Assert.Single(host.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("manifest", "aspire-manifest.json")]
    [InlineData("docker-compose", "docker-compose.yaml")]
    [InlineData("kubernetes", "templates/decode/statefulset.yaml")]
    public async Task The_cluster_is_published(string publisher, string file)
    {
        var folder = Directory.CreateTempSubdirectory("nanoaspire-");
        try
        {
            using var host = HostProgram.Start("--publisher", publisher, "--output-path", folder.FullName, "--decode", "2");
            Assert.Equal(0, await host.ExitAsync());
            Assert.Empty(host.Errors);
            Assert.Contains("decode", await File.ReadAllTextAsync(Path.Combine(folder.FullName, file), Ct), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("--gpus takes a number", "--gpus", "none")]
    [InlineData("--shm takes a quantity", "--shm", "16 GB")]
    [InlineData("--model-volume takes", "--model-volume", "models")]
    [InlineData("--cpu and --memory", "--cpu", "8")]
    public async Task A_placement_that_makes_no_sense_ends_with_one_line_and_code_2(string expected, params string[] args)
    {
        using var host = HostProgram.Start(["--publisher", "kubernetes", .. args]);
        Assert.Equal(2, await host.ExitAsync());
        Assert.Contains(expected, Assert.Single(host.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_folder_that_is_none_ends_with_one_line_and_code_1()
    {
        using var missing = HostProgram.Start("--model", "/no/such/model");
        Assert.Equal(1, await missing.ExitAsync());
        Assert.Contains("/no/such/model", Assert.Single(missing.Errors), StringComparison.Ordinal);
        using var other = HostProgram.Start("--model", Path.GetTempPath());
        Assert.Equal(1, await other.ExitAsync());
        Assert.Contains("config.json", Assert.Single(other.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_cannot_be_loaded_ends_the_host_with_the_engines_reason_and_code_1()
    {
        var folder = Directory.CreateTempSubdirectory("nanoaspire-");
        try
        {
            foreach (var file in Directory.GetFiles(RepositoryPaths.DemoModel)) File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
            using (var weights = File.OpenWrite(Path.Combine(folder.FullName, "model.safetensors"))) weights.SetLength(weights.Length / 2);
            using var host = HostProgram.Start("--model", folder.FullName);
            Assert.Equal(1, await host.ExitAsync());
            var line = Assert.Single(host.Errors);
            Assert.Contains("failed to start", line, StringComparison.Ordinal);
            Assert.Contains("safetensors", line, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_program_says_where_everything_is_serves_and_ends_with_code_0()
    {
        using var host = HostProgram.Start();
        var api = await host.LineAsync(l => l.Contains("OpenAI API", StringComparison.Ordinal));
        var url = new Uri(api.Split(' ')[^1].Replace("/v1", "", StringComparison.Ordinal));
        using var client = new HttpClient { BaseAddress = url };
        var response = await client.PostAsJsonAsync("/v1/chat/completions", new { model = "nano-demo", messages = new[] { new { role = "user", content = "What is prefill?" } } }, Ct);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(Ct))!;
        Assert.StartsWith("Prefill reads", answer["choices"]![0]!["message"]!["content"]!.GetValue<string>(), StringComparison.Ordinal);
        await host.LineAsync(l => l.Contains("/login?t=", StringComparison.Ordinal) && l.Contains("Dashboard", StringComparison.Ordinal));
        host.AskToEnd();
        Assert.Equal(0, await host.ExitAsync());
        Assert.Empty(host.Errors);
    }
}
