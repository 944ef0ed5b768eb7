namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>A UCX call failed where we have no better word for it.</summary>
internal sealed class UcxException(UcxStatus status, string call) : Exception($"{call}: {Ucp.Text(status)} ({(int)status})")
{
    public UcxStatus Status { get; } = status;

    public static void ThrowIfFailed(UcxStatus status, string call)
    {
        if (status != UcxStatus.Ok) throw new UcxException(status, call);
    }
}
