namespace NanoAspire.Native.Rdma.Cuda;

/// <summary>Which way can carry which memory. UCX gives its memory types as a mask of these numbers: 0 host, 1 CUDA, 2 managed.</summary>
internal static class DeviceAccess
{
    /// <summary>Null when a way whose bytes pass through the processor can carry the memory; else why not.</summary>
    public static string? RefusalOfProcessor(MemoryKind kind) => kind == MemoryKind.Cuda
        ? "the memory is a CUDA device's, and only UCX moves that: --transport ucx or auto, with a UCX that was built with CUDA"
        : null;

    /// <summary>Null when UCX can carry the memory; else why not.</summary>
    /// <param name="kind">Of the memory.</param>
    /// <param name="version">Of UCX.</param>
    /// <param name="memoryTypes">What its context says it knows.</param>
    public static string? RefusalOfUcx(MemoryKind kind, Version version, ulong memoryTypes) =>
        kind == MemoryKind.Host || (memoryTypes & (1UL << NumberOf(kind))) != 0
            ? null
            : $"the memory is a CUDA device's, and UCX {version} here was built without CUDA (or UCX_TLS leaves cuda_copy out)";

    /// <summary><c>ucs_memory_type_t</c>.</summary>
    public static int NumberOf(MemoryKind kind) => (int)kind;

    /// <exception cref="TransferException">A region is not the processor's.</exception>
    public static void RequireHost(IReadOnlyList<MemoryRegion> regions)
    {
        foreach (var region in regions)
            if (RefusalOfProcessor(region.Kind) is { } reason) throw new TransferException(TransferCode.DeviceMemory, $"region '{region.Name}': {reason}");
    }
}
