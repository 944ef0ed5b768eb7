using System.Globalization;
using System.Runtime.InteropServices;
using NanoAspire.Native.Rdma.Cuda;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Native.Rdma.Tests.Ucx;

/// <summary>Our structs and numbers against the headers of UCX: compiled where they are installed, else as recorded from 1.13.</summary>
public sealed class AbiTests
{
    private static readonly (Type Ours, string Theirs, (string Ours, string Theirs)[] Fields)[] Structs =
    [
        (typeof(UcpParams), "ucp_params_t", [("FieldMask", "field_mask"), ("Features", "features"), ("MtWorkersShared", "mt_workers_shared")]),
        (typeof(UcpWorkerParams), "ucp_worker_params_t", [("FieldMask", "field_mask"), ("ThreadMode", "thread_mode")]),
        (typeof(UcpEpParams), "ucp_ep_params_t",
            [("FieldMask", "field_mask"), ("Address", "address"), ("ErrorMode", "err_mode"), ("ErrorCallback", "err_handler.cb"), ("ErrorArgument", "err_handler.arg")]),
        (typeof(UcpMemMapParams), "ucp_mem_map_params_t",
            [("FieldMask", "field_mask"), ("Address", "address"), ("Length", "length"), ("Flags", "flags"), ("Protection", "prot"), ("MemoryType", "memory_type")]),
        (typeof(UcpMemAttr), "ucp_mem_attr_t", [("FieldMask", "field_mask"), ("Address", "address"), ("Length", "length"), ("MemoryType", "mem_type")]),
        (typeof(UcpContextAttr), "ucp_context_attr_t", [("FieldMask", "field_mask"), ("MemoryTypes", "memory_types")]),
        (typeof(UcpRequestParam), "ucp_request_param_t",
            [("AttributeMask", "op_attr_mask"), ("Flags", "flags"), ("Callback", "cb"), ("UserData", "user_data"), ("MemoryHandle", "memh")]),
        (typeof(UcpEpAttr), "ep_attr_with_transports",
            [("FieldMask", "field_mask"), ("TransportEntries", "transports.entries"), ("TransportCount", "transports.num_entries"), ("TransportEntrySize", "transports.entry_size")]),
        (typeof(UcpTransportEntry), "ucp_transport_entry_t", [("TransportName", "transport_name"), ("DeviceName", "device_name")]),
    ];

    /// <summary>
    /// 1.13 has no transports of an endpoint; its attributes end where 1.14 appends them. With older headers the tail is laid out here
    /// as 1.14 documents it, behind the struct that the headers have: our offsets hold only if that is as long as it was.
    /// </summary>
    private const string EpAttributes = """
        #if UCP_API_VERSION >= UCP_VERSION(1, 14)
        typedef ucp_ep_attr_t ep_attr_with_transports;
        #else
        typedef struct { const char *transport_name; const char *device_name; } ucp_transport_entry_t;
        typedef struct { ucp_transport_entry_t *entries; unsigned num_entries; size_t entry_size; } ucp_transports_t;
        typedef union {
            struct { uint64_t field_mask; };
            struct { ucp_ep_attr_t until_1_13; ucp_transports_t transports; void *user_data; };
        } ep_attr_with_transports;
        _Static_assert(offsetof(ucp_ep_attr_t, field_mask) == 0, "the mask comes first");
        #define UCP_EP_ATTR_FIELD_TRANSPORTS (UCP_EP_ATTR_FIELD_REMOTE_SOCKADDR << 1)
        #endif
        """;

    /// <summary>Sizes and offsets that <see cref="Structs"/> has in 1.13 (transports: 1.14), in its order: a struct may be longer later, or here, but never differ.</summary>
    private static readonly Dictionary<string, int[]> Recorded = new()
    {
        ["ucp_params_t"] = [80, 0, 8, 48],
        ["ucp_worker_params_t"] = [200, 0, 8],
        ["ucp_ep_params_t"] = [104, 0, 8, 16, 24, 32],
        ["ucp_mem_map_params_t"] = [40, 0, 8, 16, 24, 28, 32],
        ["ucp_mem_attr_t"] = [32, 0, 8, 16, 24],
        ["ucp_context_attr_t"] = [64, 0, 24],
        ["ucp_request_param_t"] = [72, 0, 4, 16, 32, 64],
        ["ep_attr_with_transports"] = [328, 0, 296, 304, 312],
        ["ucp_transport_entry_t"] = [16, 0, 8],
    };

    private static readonly (string Theirs, long Ours)[] Constants =
    [
        ("sizeof(ucs_status_t)", sizeof(UcxStatus)),
        ("UCP_PARAM_FIELD_FEATURES", (long)UcpParams.MaskFeatures),
        ("UCP_PARAM_FIELD_MT_WORKERS_SHARED", (long)UcpParams.MaskMtWorkersShared),
        ("UCP_FEATURE_RMA", (long)UcpParams.FeatureRma),
        ("UCP_FEATURE_WAKEUP", (long)UcpParams.FeatureWakeup),
        ("UCP_FEATURE_AM", (long)UcpParams.FeatureAm),
        ("UCP_WORKER_PARAM_FIELD_THREAD_MODE", (long)UcpWorkerParams.MaskThreadMode),
        ("UCS_THREAD_MODE_SERIALIZED", UcpWorkerParams.ThreadSerialized),
        ("UCP_EP_PARAM_FIELD_REMOTE_ADDRESS", (long)UcpEpParams.MaskRemoteAddress),
        ("UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE", (long)UcpEpParams.MaskErrorMode),
        ("UCP_EP_PARAM_FIELD_ERR_HANDLER", (long)UcpEpParams.MaskErrorHandler),
        ("UCP_ERR_HANDLING_MODE_NONE", UcpEpParams.ErrorNone),
        ("UCP_ERR_HANDLING_MODE_PEER", UcpEpParams.ErrorPeer),
        ("UCP_MEM_MAP_PARAM_FIELD_ADDRESS", (long)UcpMemMapParams.MaskAddress),
        ("UCP_MEM_MAP_PARAM_FIELD_LENGTH", (long)UcpMemMapParams.MaskLength),
        ("UCP_MEM_MAP_PARAM_FIELD_FLAGS", (long)UcpMemMapParams.MaskFlags),
        ("UCP_MEM_MAP_PARAM_FIELD_MEMORY_TYPE", (long)UcpMemMapParams.MaskMemoryType),
        ("UCP_MEM_MAP_ALLOCATE", UcpMemMapParams.FlagAllocate),
        ("UCP_MEM_ATTR_FIELD_ADDRESS", (long)UcpMemAttr.MaskAddress),
        ("UCP_MEM_ATTR_FIELD_LENGTH", (long)UcpMemAttr.MaskLength),
        ("UCP_ATTR_FIELD_MEMORY_TYPES", (long)UcpContextAttr.MaskMemoryTypes),
        ("UCS_MEMORY_TYPE_HOST", DeviceAccess.NumberOf(MemoryKind.Host)),
        ("UCS_MEMORY_TYPE_CUDA", DeviceAccess.NumberOf(MemoryKind.Cuda)),
        ("UCS_MEMORY_TYPE_CUDA_MANAGED", DeviceAccess.NumberOf(MemoryKind.CudaManaged)),
        ("UCP_OP_ATTR_FIELD_CALLBACK", UcpRequestParam.MaskCallback),
        ("UCP_OP_ATTR_FIELD_USER_DATA", UcpRequestParam.MaskUserData),
        ("UCP_OP_ATTR_FIELD_FLAGS", UcpRequestParam.MaskFlags),
        ("UCP_OP_ATTR_FIELD_MEMH", UcpRequestParam.MaskMemoryHandle),
        ("UCP_EP_ATTR_FIELD_TRANSPORTS", (long)UcpEpAttr.MaskTransports),
        ("UCP_EP_CLOSE_FLAG_FORCE", UcpRequestParam.FlagForceClose),
        .. Enum.GetValues<UcxStatus>().Select(static s => (StatusName(s), (long)s)),
    ];

    private static string StatusName(UcxStatus status) => status switch
    {
        UcxStatus.Ok => "UCS_OK",
        UcxStatus.InProgress => "UCS_INPROGRESS",
        UcxStatus.InvalidAddress => "UCS_ERR_INVALID_ADDR",
        _ => "UCS_ERR_" + string.Concat(status.ToString().Select(static (c, i) => i > 0 && char.IsUpper(c) ? $"_{c}" : $"{char.ToUpperInvariant(c)}")),
    };

    private static int OffsetOf(Type type, string field) => (int)Marshal.OffsetOf(type, field);

    [Fact]
    public void Structs_lie_as_they_did_in_the_version_that_we_are_written_against()
    {
        foreach (var (ours, theirs, fields) in Structs)
        {
            var recorded = Recorded[theirs];
            Assert.InRange(Marshal.SizeOf(ours), recorded[0], int.MaxValue); // what is longer is zeroed and masked out
            Assert.Equal(recorded[1..], fields.Select(f => OffsetOf(ours, f.Ours)));
        }
    }

    [Fact(Skip = UcxHeaders.Reason, SkipUnless = nameof(UcxHeaders.Installed), SkipType = typeof(UcxHeaders))]
    [Trait("needs", "ucx")]
    public async Task Structs_and_constants_agree_with_the_installed_headers()
    {
        var lines = new List<string> { "#include <stddef.h>", "#include <stdio.h>", "#include <ucp/api/ucp.h>", EpAttributes, "int main(void) {" };
        foreach (var (_, theirs, fields) in Structs)
        {
            lines.Add($"printf(\"%zu\\n\", sizeof({theirs}));");
            lines.AddRange(fields.Select(f => $"printf(\"%zu\\n\", offsetof({theirs}, {f.Theirs}));"));
        }
        lines.AddRange(Constants.Select(static c => $"printf(\"%lld\\n\", (long long)({c.Theirs}));"));
        lines.Add("return 0; }");
        var numbers = new Queue<long>((await UcxHeaders.RunAsync(string.Join('\n', lines))).Select(static n => long.Parse(n, CultureInfo.InvariantCulture)));
        foreach (var (ours, theirs, fields) in Structs)
        {
            var size = numbers.Dequeue();
            Assert.InRange(size, Recorded[theirs][0], int.MaxValue); // a header that shrank would not be the same struct
            foreach (var field in fields) Assert.True(numbers.Dequeue() == OffsetOf(ours, field.Ours), $"{theirs}.{field.Theirs}");
        }
        foreach (var (theirs, ours) in Constants) Assert.True(numbers.Dequeue() == ours, theirs);
    }
}
