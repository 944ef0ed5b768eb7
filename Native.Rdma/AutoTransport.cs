using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma.OneSided;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Native.Rdma;

/// <summary>
/// Takes for each region of each peer the best that both sides can do: a mapping on one machine, UCX where it is truly one-sided,
/// else plain TCP; never UCX over TCP, which is slower than that.
/// </summary>
public sealed class AutoTransport : OneSidedTransport
{
    /// <param name="regions">What peers read and transfers write to.</param>
    /// <param name="options">Of the TCP connections.</param>
    /// <param name="ucx">How UCX is driven, where there is one.</param>
    /// <param name="copyThreads">Threads that copy one read of mapped memory.</param>
    /// <param name="time">Clock of all deadlines.</param>
    /// <param name="loggers">Where the transport logs.</param>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public AutoTransport(RegionRegistry regions, TcpTransportOptions options, UcxOptions ucx, int copyThreads, TimeProvider time, ILoggerFactory loggers)
        : this(new(ucx, options.ConnectTimeout, time, loggers.CreateLogger<AutoTransport>()), UcxUse(), regions, options, copyThreads, time, loggers)
    {
    }

    private AutoTransport(
        UcxPath ucx, (bool Use, string Reason) choice, RegionRegistry regions, TcpTransportOptions options, int copyThreads, TimeProvider time, ILoggerFactory loggers)
        : base("auto", Summary(choice), Choices(ucx, choice.Use, copyThreads), tcpFallback: true, regions, options, time, loggers)
    {
    }

    /// <summary>Whether UCX can have anything to offer on this machine beyond what a mapping does.</summary>
    private static (bool Use, string Reason) UcxUse()
    {
        if (UcxLibrary.Reason is { } missing) return (false, missing);
        if (UcxLibrary.HasRdmaDevice) return (true, $"UCX {UcxLibrary.Version}, and an RDMA device");
        if (Environment.GetEnvironmentVariable("UCX_TLS") is { Length: > 0 } transports) return (true, $"UCX {UcxLibrary.Version} with UCX_TLS={transports}");
        return UcxPath.CopiesForeignMemory(UcxLibrary.Version)
            ? (true, $"UCX {UcxLibrary.Version}, for memory on this machine that cannot be mapped")
            : (false, $"UCX {UcxLibrary.Version} has no RDMA device here");
    }

    private static string Summary((bool Use, string Reason) choice)
    {
        var shared = SharedArena.IsSupported ? "shared memory on one machine" : "no shared memory on this system";
        return $"{shared}; {(choice.Use ? choice.Reason : $"not UCX: {choice.Reason}")}; else plain TCP";
    }

    private static List<IOneSidedPath> Choices(UcxPath ucx, bool useUcx, int copyThreads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(copyThreads, 1);
        List<IOneSidedPath> paths = [];
        if (SharedArena.IsSupported) paths.Add(new MappedPath(copyThreads));
        if (useUcx) paths.Add(ucx);
        return paths;
    }
}
