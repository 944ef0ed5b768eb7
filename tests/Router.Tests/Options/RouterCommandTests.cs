using System.CommandLine;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;

namespace NanoAspire.Router.Tests.Options;

public sealed class RouterCommandTests
{
    [Fact]
    public async Task Without_arguments_the_control_plane_is_on_its_usual_port()
    {
        var options = await ReadAsync([]);
        Assert.Null(options.Port);
        Assert.Equal("localhost:4479", options.CtrlAddress);
        Assert.Empty(options.ApiKeys);
    }

    [Fact]
    public async Task The_environment_says_where_the_control_plane_is_and_which_key_counts()
    {
        var options = await ReadAsync([], ("services__ctrl__http__0", "http://localhost:5001"), ("NANOASPIRE_API_KEY", "a, b"), ("NANOASPIRE_CTRL_TOKEN", "t"));
        Assert.Equal("http://localhost:5001", options.CtrlAddress);
        Assert.Equal(["a", "b"], options.ApiKeys);
        Assert.Equal("t", options.CtrlToken);
        Assert.Equal("h:1", (await ReadAsync(["--ctrl_address", "h:1"], ("services__ctrl__http__0", "http://localhost:5001"))).CtrlAddress);
    }

    [Fact]
    public async Task Engines_are_listed_with_their_roles_and_then_no_control_plane_is_looked_for()
    {
        var options = await ReadAsync(["--engine", "prefill=localhost:1/", "--engine", "DECODE=https://h:2", "--engine", "http://x/base?a=b", "--port", "0"]);
        Assert.Null(options.CtrlAddress);
        Assert.Equal(
            [(EngineRole.Prefill, "http://localhost:1"), (EngineRole.Decode, "https://h:2"), (EngineRole.Hybrid, "http://x/base")],
            options.Engines.Select(engine => (engine.Role, engine.Url)));
        Assert.Equal(0, options.Port);
    }

    [Fact]
    public async Task Strategies_may_differ_by_role_and_model()
    {
        var options = await ReadAsync(["--strategy", "random", "--decode-strategy", "power-of-two", "--model-strategy", "org/a=b=round_robin"]);
        Assert.Equal(("random", "power-of-two", "random"), (options.Strategy.Prefill, options.Strategy.Decode, options.Strategy.Hybrid));
        Assert.Equal("round_robin", options.Strategy.For(["x", "org/a=b"], EngineRole.Decode));
        Assert.Equal("power-of-two", options.Strategy.For(["x"], EngineRole.Decode));
    }

    [Theory]
    [InlineData("--strategy", "best")]
    [InlineData("--engine", "ftp://x")]
    [InlineData("--engine", "cook=http://x")]
    [InlineData("--port", "70000")]
    [InlineData("--retries", "-1")]
    [InlineData("--queue-wait", "0")]
    [InlineData("--migration-limit", "-1")]
    [InlineData("--tool-call-parser", "best")]
    [InlineData("--reasoning-parser", "hermes")]
    [InlineData("--rate-limit", "-1")]
    [InlineData("--max-body-size", "0")]
    [InlineData("--model-strategy", "m1")]
    public async Task What_makes_no_sense_is_said_so(string option, string value) =>
        await Assert.ThrowsAsync<ArgumentException>(() => ReadAsync([option, value]));

    [Theory]
    [InlineData("--unknown")]
    [InlineData("--port=x")]
    public void Unknown_options_are_usage_errors(string argument) =>
        Assert.NotEmpty(RouterCommand.Create((_, _) => Task.FromResult(0), _ => null).Parse([argument]).Errors);

    private static async Task<RouterOptions> ReadAsync(string[] args, params (string Name, string Value)[] environment)
    {
        RouterOptions? read = null;
        var command = RouterCommand.Create(
            (options, _) =>
            {
                read = options;
                return Task.FromResult(0);
            },
            name => environment.FirstOrDefault(entry => entry.Name == name).Value);
        var parsed = command.Parse(args);
        Assert.Empty(parsed.Errors);
        await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        return read!;
    }
}
