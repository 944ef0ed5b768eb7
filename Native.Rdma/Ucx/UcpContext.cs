using Microsoft.Win32.SafeHandles;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>The devices and memory domains of UCX. Kept alive by every handle made from it; may be used from any thread.</summary>
internal sealed unsafe class UcpContext : SafeHandleZeroOrMinusOneIsInvalid
{
    private static readonly Lazy<UcpContext> Shared = new(static () => new(UcxLibrary.DefaultTransports));

    /// <param name="transports">As <c>UCX_TLS</c>; null leaves it to the environment.</param>
    /// <exception cref="UcxException">UCX finds no device it could use.</exception>
    public UcpContext(string? transports) : base(ownsHandle: true)
    {
        UcxException.ThrowIfFailed(Ucp.ucp_config_read(0, 0, out var config), nameof(Ucp.ucp_config_read));
        try
        {
            if (transports is not null) UcxException.ThrowIfFailed(Ucp.ucp_config_modify(config, "TLS", transports), "TLS");
            var parameters = new UcpParams
            {
                FieldMask = UcpParams.MaskFeatures | UcpParams.MaskMtWorkersShared,
                // AM although we send none: with RMA alone, 1.13 leaves out transports that only serve both.
                Features = UcpParams.FeatureRma | UcpParams.FeatureAm | UcpParams.FeatureWakeup,
                MtWorkersShared = 1,
            };
            UcxException.ThrowIfFailed(Ucp.ucp_init_version(Ucp.ApiMajor, Ucp.ApiMinor, &parameters, config, out var context), nameof(Ucp.ucp_init_version));
            SetHandle(context);
        }
        finally
        {
            Ucp.ucp_config_release(config);
        }
    }

    /// <summary>The one of the process: registrations are per context, so all transports share it.</summary>
    /// <exception cref="UcxException">As the constructor; the failure is remembered.</exception>
    public static UcpContext Process => Shared.Value;

    /// <summary>Bit n: memory of <c>ucs_memory_type_t</c> n can be transferred.</summary>
    /// <exception cref="UcxException">The library does not say.</exception>
    public ulong MemoryTypes
    {
        get
        {
            var attributes = new UcpContextAttr { FieldMask = UcpContextAttr.MaskMemoryTypes };
            UcxException.ThrowIfFailed(Ucp.ucp_context_query(this, &attributes), nameof(Ucp.ucp_context_query));
            return attributes.MemoryTypes;
        }
    }

    protected override bool ReleaseHandle()
    {
        Ucp.ucp_cleanup(handle);
        return true;
    }
}
