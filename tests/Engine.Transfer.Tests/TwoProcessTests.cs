using NanoAspire.Tests;

namespace NanoAspire.Engine.Transfer.Tests;

public sealed class TcpTwoProcessTests() : TwoProcessContract("tcp");

public sealed class SharedMemoryTwoProcessTests() : TwoProcessContract("shm");

[Trait("needs", "ucx")]
public sealed class UcxTwoProcessTests() : TwoProcessContract("ucx")
{
    [Fact(Skip = Needs.UcxReason, SkipUnless = nameof(Needs.Ucx), SkipType = typeof(Needs))]
    public async Task Mistakes_stay_exceptions_after_UCX_was_loaded()
    {
        await using var process = new PeerProcess("survive");
        Assert.Equal("null", await process.ReadAsync());
        Assert.Equal("zero", await process.ReadAsync());
        Assert.Equal(0, await process.ExitCodeAsync());
    }
}
