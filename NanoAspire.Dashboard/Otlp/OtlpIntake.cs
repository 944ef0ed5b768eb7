using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using NanoAspire.Dashboard.Auth;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>What both transports of OTLP share: who may send, how large a request may be, and where its records go.</summary>
internal sealed class OtlpIntake(DashboardOptions options, TelemetryStore store)
{
    private const string KeyHeader = "x-otlp-api-key";

    /// <returns>How many records were not usable.</returns>
    public delegate int Signal(byte[] body, bool isJson);

    public bool MaySend(HttpRequest request)
    {
        if (options.AllowAnonymous) return true;
        var given = request.Headers[KeyHeader].ToString();
        return Secrets.Equal(given, options.OtlpApiKey!) || (options.OtlpSecondaryApiKey is { } secondary && Secrets.Equal(given, secondary));
    }

    public int Traces(byte[] body, bool isJson)
    {
        var batch = isJson ? JsonTraces.Read(body, store.Resources.Intern) : ProtoTraces.Read(body, store.Resources.Intern);
        store.Add(batch.Items);
        return batch.Rejected;
    }

    public int Logs(byte[] body, bool isJson)
    {
        var batch = isJson ? JsonLogs.Read(body, store.Resources.Intern) : ProtoLogs.Read(body, store.Resources.Intern);
        store.Add(batch.Items);
        return batch.Rejected;
    }

    public int Metrics(byte[] body, bool isJson)
    {
        var batch = isJson ? JsonMetrics.Read(body, store.Resources.Intern) : ProtoMetrics.Read(body, store.Resources.Intern);
        return batch.Rejected + store.Add(batch.Items);
    }

    /// <summary>Null when the body, unpacked, is larger than allowed: a small gzip may hold a large nothing.</summary>
    public async Task<byte[]?> ReadAsync(Stream source, bool gzip, CancellationToken cancellationToken)
    {
        await using var unpacked = gzip ? new GZipStream(source, CompressionMode.Decompress, leaveOpen: true) : null;
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await (unpacked ?? source).ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (body.Length + read > options.MaxRequestBytes) return null;
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }

    /// <summary>An Export…ServiceResponse: empty, or with partial_success {1: rejected}.</summary>
    public static byte[] Answer(int rejected)
    {
        if (rejected == 0) return [];
        List<byte> count = [0x08];
        for (var rest = (uint)rejected; ; rest >>= 7)
        {
            if (rest < 0x80) { count.Add((byte)rest); break; }
            count.Add((byte)(rest | 0x80));
        }
        return [0x0a, (byte)count.Count, .. count];
    }
}
