using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma.Cuda;
using NanoAspire.Native.Rdma.OneSided;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>Reaches memory by UCX: a network device, or the kernel's copy between processes. One worker serves, another one transfers.</summary>
internal sealed class UcxPath : IOneSidedPath
{
    private static readonly Version OneSidedForeignMemory = new(1, 16);

    private readonly UcxOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lazy<UcxProbe> _probe;
    private readonly Lock _gate = new();
    private UcxThread? _serving;
    private UcxThread? _transferring;
    private readonly List<UcxThread> _dead = [];
    private bool _disposed;

    /// <param name="options">How UCX is driven.</param>
    /// <param name="connectTimeout">For the first connection to a peer over a network.</param>
    /// <param name="time">Clock of all deadlines.</param>
    /// <param name="logger">Where the path logs.</param>
    /// <exception cref="ArgumentException">The options are out of range.</exception>
    public UcxPath(UcxOptions options, TimeSpan connectTimeout, TimeProvider time, ILogger logger)
    {
        if (options.Validate().ToArray() is [_, ..] errors) throw new ArgumentException(string.Join("; ", errors), nameof(options));
        (_options, _time, _logger) = (options, time, logger);
        _probe = new(() => new(UcpContext.Process, connectTimeout, time, logger));
    }

    public byte Kind => 1;
    public string Name => "ucx";

    /// <summary>
    /// Whether reporting the loss of a peer takes one-sided reads away: their protocols in 1.16 to 1.18 are not marked as able to
    /// report errors, so UCX would imitate them. There we notice by our deadlines and the connection beside.
    /// </summary>
    public static bool ReportsPeerErrors(Version library) => library < OneSidedForeignMemory || library >= new Version(1, 19);

    /// <summary>Whether UCX reads memory of another process that it did not allocate itself, without that process.</summary>
    public static bool CopiesForeignMemory(Version library) => library >= OneSidedForeignMemory;

    public byte[]? Describe(MemoryRegion region)
    {
        if (!UcxLibrary.IsAvailable) return null;
        try
        {
            if (DeviceAccess.RefusalOfUcx(region.Kind, UcxLibrary.Version, UcpContext.Process.MemoryTypes) is { } refusal)
            {
                _logger.NotOffered(region.Id, refusal);
                return null;
            }
            var serving = Serving();
            var key = region.Attach(UcxRegistration.Of).PackKey();
            return new UcxDescription(UcxLibrary.Version, (ulong)region.Address, region.Length, serving.Address, key).ToBytes();
        }
        catch (UcxException e)
        {
            _logger.NotOffered(region.Id, e.Message);
            return null;
        }
    }

    public void Hold(bool hold)
    {
        UcxThread? serving;
        lock (_gate) serving = _serving;
        serving?.Hold(hold, TcpWire.MaxHold);
    }

    public async Task<(IRemoteMemory? Memory, string Reason)> OpenAsync(byte[] description, bool writes, CancellationToken cancellationToken)
    {
        if (UcxLibrary.Reason is { } missing) return (null, missing);
        var remote = UcxDescription.Read(description);
        var peerErrors = ReportsPeerErrors(UcxLibrary.Version);
        if (peerErrors != ReportsPeerErrors(remote.Library)) return (null, $"UCX {UcxLibrary.Version} here and {remote.Library} there handle errors differently");
        try
        {
            if (UcxLibrary.HasRdmaDevice && await _probe.Value.TryReachAsync(remote, peerErrors, cancellationToken).ConfigureAwait(false) is { } unreachable)
                return (null, $"UCX {UcxLibrary.Version}: {unreachable}");
            var thread = Transferring();
            var (connection, mapped, transports) = await thread.RunAsync(worker =>
            {
                var made = new UcxConnection(thread, worker, remote, peerErrors);
                return (made, made.Mapped != 0, made.Endpoint.Transports());
            }).ConfigureAwait(false);
            var used = transports.Length == 0 ? "" : $" over {string.Join(", ", transports)}";
            // What is mapped is copied by old versions, and by newer ones only if they also have a device for it.
            if (mapped) return (new UcxMemory(thread, connection, remote.Length, CopiesForeignMemory(UcxLibrary.Version)), $"UCX {UcxLibrary.Version}{used}: mapped");
            if (_options.AcceptImitation) return (new UcxMemory(thread, connection, remote.Length, needsProof: false), $"UCX {UcxLibrary.Version}{used}: imitated where no device does it, as was asked for");
            if (UcxLibrary.Version < OneSidedForeignMemory && !UcxLibrary.HasRdmaDevice)
            {
                thread.Post(connection.Dispose);
                return (null, $"UCX {UcxLibrary.Version} has no one-sided way to this memory: no RDMA device, and not allocated by UCX");
            }
            return (new UcxMemory(thread, connection, remote.Length, needsProof: true), $"UCX {UcxLibrary.Version}{used}: one-sided");
        }
        catch (UcxException e)
        {
            return (null, $"UCX {UcxLibrary.Version}: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        UcxThread[] threads;
        lock (_gate)
        {
            _disposed = true;
            threads = [.. _dead, .. new[] { _serving, _transferring }.OfType<UcxThread>()];
        }
        foreach (var thread in threads) await thread.DisposeAsync().ConfigureAwait(false);
    }

    private UcxThread Serving()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _serving ??= new(UcpContext.Process, "ucx-serve", _options.Spin, _time, _logger);
        }
    }

    private UcxThread Transferring()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_transferring is { IsDead: true })
            {
                _dead.Add(_transferring);
                _transferring = null;
            }
            return _transferring ??= new(UcpContext.Process, "ucx-transfer", _options.Spin, _time, _logger);
        }
    }
}
