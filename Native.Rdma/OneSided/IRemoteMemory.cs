using NanoAspire.Native.Rdma.Cuda;

namespace NanoAspire.Native.Rdma.OneSided;

/// <summary>A region of another process, within reach. Disposed after the last copy.</summary>
internal interface IRemoteMemory : IDisposable
{
    /// <summary>Bytes.</summary>
    ulong Length { get; }

    /// <summary>True when only a test can tell whether copies are truly one-sided.</summary>
    bool NeedsProof { get; }

    /// <summary>True when a copy that is started while another one runs gains something.</summary>
    bool Overlaps { get; }

    /// <summary>Null when the local memory can be on this side of a copy; else why not.</summary>
    string? Refuses(MemoryKind local) => DeviceAccess.RefusalOfProcessor(local);

    /// <summary>Ends when copies no longer wait for the owner to take part in making a connection.</summary>
    /// <exception cref="TransferException">The peer or the device failed.</exception>
    Task ConnectAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Moves a frame that lies inside; when the task has ended, however it did, nothing is moved any more.</summary>
    /// <exception cref="TransferException">The peer or the device failed.</exception>
    Task CopyAsync(TransferPlan plan, TransferFrame frame, bool writes, CancellationToken cancellationToken);
}
