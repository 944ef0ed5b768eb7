using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine.Tests.Fakes;

namespace NanoAspire.Engine.Tests;

public sealed class EngineLoopTests
{
    [Fact]
    public async Task A_request_gets_the_tokens_of_the_model()
    {
        using var runner = new FakeRunner(blocks: 32, blockSize: 4);
        await using var loop = new EngineLoop(runner, new(), TimeProvider.System, NullLogger<EngineLoop>.Instance);
        int[] prompt = [5, 6, 7, 8, 9];
        using var handle = loop.Submit(new() { PromptTokens = prompt, Sampling = new() { Temperature = 0, MaxTokens = 20, IgnoreEos = true } });
        var tokens = new List<int>();
        await foreach (var output in handle.Outputs.ReadAllAsync()) tokens.Add(output.Token!.Id);
        Assert.Equal(runner.Generate(prompt, 20, ignoreEos: true), tokens);
        Assert.Equal(0, loop.Status.BlocksUsed);
    }
}
