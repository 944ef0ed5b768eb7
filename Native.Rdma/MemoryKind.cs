namespace NanoAspire.Native.Rdma;

/// <summary>Whose memory a region is.</summary>
public enum MemoryKind
{
    /// <summary>The processor's.</summary>
    Host,
    /// <summary>A CUDA device's: the processor cannot touch it, UCX moves it.</summary>
    Cuda,
    /// <summary>CUDA memory that moves between device and host by itself; the processor may touch it.</summary>
    CudaManaged,
}
