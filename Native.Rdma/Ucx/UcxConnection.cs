namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>An endpoint and the key of one region of its peer; used on the thread of the worker.</summary>
internal sealed class UcxConnection : IDisposable
{
    private readonly UcxThread _thread;
    private bool _broken;

    public UcxConnection(UcxThread thread, UcpWorker worker, UcxDescription description, bool peerErrors)
    {
        _thread = thread;
        RemoteAddress = description.Address;
        Endpoint = new(worker, description.WorkerAddress, peerErrors);
        try
        {
            Key = new(Endpoint, description.Key);
            Mapped = Key.Map(RemoteAddress);
        }
        catch
        {
            Endpoint.Dispose();
            throw;
        }
    }

    public UcpEndpoint Endpoint { get; }
    public RemoteKey Key { get; }
    /// <summary>Where the region begins in its owner's address space.</summary>
    public ulong RemoteAddress { get; }

    /// <summary>Where the region begins in ours, while the key lives; 0 where it is not mapped.</summary>
    public nint Mapped { get; }

    public bool IsBroken => _broken || Endpoint.Failure != UcxStatus.Ok || _thread.IsDead;

    /// <summary>Ends the connection under what is in flight.</summary>
    /// <returns>False when something may still come.</returns>
    public bool Break()
    {
        _broken = true;
        return Endpoint.CanForce && Endpoint.Abort();
    }

    /// <summary>Ends the worker under what is in flight.</summary>
    public void Kill() => _thread.Kill();

    public void Dispose()
    {
        _broken = true;
        Key.Dispose();
        Endpoint.Dispose();
    }
}
