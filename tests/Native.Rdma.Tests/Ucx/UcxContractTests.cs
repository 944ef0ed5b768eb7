using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Tests.Ucx;

[Trait("needs", "ucx")]
public sealed class UcxTransportContractTests : TransportContract
{
    /// <summary>Datagrams alone have no one-sided reads or writes: there the owner's processor takes part, which no engine accepts.</summary>
    internal static bool DatagramsOnly => Environment.GetEnvironmentVariable("UCX_TLS") == "ud_verbs";

    private protected override TestMemory CreateSource(int length)
    {
        Assert.SkipUnless(Needs.Ucx, Needs.UcxReason);
        return TestMemory.Ucx(length).Fill();
    }

    private protected override (ITransport, ITransport) CreatePair()
    {
        var options = new TcpTransportOptions { FrameBytes = 16 << 10, FrameTimeout = TimeSpan.FromSeconds(30), ConnectTimeout = TimeSpan.FromSeconds(30) };
        var ucx = new UcxOptions { AcceptImitation = DatagramsOnly };
        return (
            new UcxTransport(new RegionRegistry(), options, ucx, tcpFallback: false, TimeProvider.System, NullLoggerFactory.Instance),
            new UcxTransport(new RegionRegistry(), options, ucx, tcpFallback: false, TimeProvider.System, NullLoggerFactory.Instance));
    }
}
