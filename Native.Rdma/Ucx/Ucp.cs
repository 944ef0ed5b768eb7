using System.Runtime.InteropServices;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>
/// The functions of libucp and libucs that we call, under their own names; resolved by <see cref="UcxLibrary"/>, which must have
/// loaded them. No shim: the one function that headers only inline (<c>ucp_init</c>) has an exported counterpart.
/// </summary>
internal static unsafe partial class Ucp
{
    public const string Library = "libucp.so.0";
    public const string ServicesLibrary = "libucs.so.0";

    /// <summary>What we are written against; a library that is older is refused, a newer one is compatible.</summary>
    public const uint ApiMajor = 1, ApiMinor = 13;

    [LibraryImport(Library)] public static partial void ucp_get_version(out uint major, out uint minor, out uint release);
    [LibraryImport(ServicesLibrary)] public static partial nint ucs_status_string(UcxStatus status);

    [LibraryImport(Library)] public static partial UcxStatus ucp_config_read(nint prefix, nint file, out nint config);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial UcxStatus ucp_config_modify(nint config, string name, string value);
    [LibraryImport(Library)] public static partial void ucp_config_release(nint config);
    [LibraryImport(Library)] public static partial UcxStatus ucp_init_version(uint major, uint minor, UcpParams* parameters, nint config, out nint context);
    [LibraryImport(Library)] public static partial void ucp_cleanup(nint context);
    [LibraryImport(Library)] public static partial UcxStatus ucp_context_query(UcpContext context, UcpContextAttr* attributes);

    [LibraryImport(Library)] public static partial UcxStatus ucp_worker_create(UcpContext context, UcpWorkerParams* parameters, out nint worker);
    [LibraryImport(Library)] public static partial void ucp_worker_destroy(nint worker);
    [LibraryImport(Library)] public static partial UcxStatus ucp_worker_get_address(UcpWorker worker, out nint address, out nuint length);
    [LibraryImport(Library)] public static partial void ucp_worker_release_address(UcpWorker worker, nint address);
    [LibraryImport(Library)] public static partial uint ucp_worker_progress(nint worker);
    [LibraryImport(Library)] public static partial UcxStatus ucp_worker_arm(nint worker);
    [LibraryImport(Library)] public static partial UcxStatus ucp_worker_get_efd(UcpWorker worker, out int eventFd);
    [LibraryImport(Library)] public static partial UcxStatus ucp_worker_signal(UcpWorker worker);

    [LibraryImport(Library)] public static partial UcxStatus ucp_ep_create(UcpWorker worker, UcpEpParams* parameters, out nint endpoint);
    [LibraryImport(Library)] public static partial nint ucp_ep_close_nbx(nint endpoint, UcpRequestParam* parameters);
    [LibraryImport(Library)] public static partial nint ucp_ep_flush_nbx(nint endpoint, UcpRequestParam* parameters);
    [LibraryImport(Library)] public static partial UcxStatus ucp_ep_query(nint endpoint, UcpEpAttr* attributes);

    [LibraryImport(Library)] public static partial UcxStatus ucp_mem_map(UcpContext context, UcpMemMapParams* parameters, out nint memory);
    [LibraryImport(Library)] public static partial UcxStatus ucp_mem_unmap(UcpContext context, nint memory);
    [LibraryImport(Library)] public static partial UcxStatus ucp_mem_query(UcpMemoryRegion memory, UcpMemAttr* attributes);
    [LibraryImport(Library)] public static partial UcxStatus ucp_rkey_pack(UcpContext context, UcpMemoryRegion memory, out nint buffer, out nuint length);
    [LibraryImport(Library)] public static partial void ucp_rkey_buffer_release(nint buffer);
    [LibraryImport(Library)] public static partial UcxStatus ucp_ep_rkey_unpack(UcpEndpoint endpoint, byte* buffer, out nint key);
    [LibraryImport(Library)] public static partial UcxStatus ucp_rkey_ptr(RemoteKey key, ulong remoteAddress, out nint localAddress);
    [LibraryImport(Library)] public static partial void ucp_rkey_destroy(nint key);

    // Raw handles: called once a range, by the thread that owns all of them.
    [LibraryImport(Library)] public static partial nint ucp_get_nbx(nint endpoint, nint buffer, nuint count, ulong remoteAddress, nint key, UcpRequestParam* parameters);
    [LibraryImport(Library)] public static partial nint ucp_put_nbx(nint endpoint, nint buffer, nuint count, ulong remoteAddress, nint key, UcpRequestParam* parameters);
    [LibraryImport(Library)] public static partial UcxStatus ucp_request_check_status(nint request);
    [LibraryImport(Library)] public static partial void ucp_request_free(nint request);

    /// <summary><c>UCS_PTR_IS_ERR</c>: the last hundred addresses are status codes.</summary>
    public static bool IsError(nint request) => (nuint)request >= unchecked((nuint)(-100));

    public static UcxStatus StatusOf(nint request) => (UcxStatus)(sbyte)request;

    public static string Text(UcxStatus status) => Marshal.PtrToStringUTF8(ucs_status_string(status)) ?? status.ToString();
}
