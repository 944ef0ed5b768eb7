using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NanoAspire.Hosting.Run;

namespace NanoAspire.Hosting.Redis;

/// <summary>AUTH and PING over a connection of its own: a server that is loading its data answers neither with what is expected.</summary>
internal sealed class RedisHealthCheck(RedisResource redis) : IHealthCheck
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (Availability.IsUnavailable(redis)) return HealthCheckResult.Degraded("not available on this machine");
        var endpoint = redis.PrimaryEndpoint;
        if (!endpoint.IsAllocated) return HealthCheckResult.Unhealthy("no port yet");
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(Limit);
        try
        {
            using var client = new TcpClient { NoDelay = true };
            await client.ConnectAsync(endpoint.Host, endpoint.Port, limited.Token).ConfigureAwait(false);
            var stream = client.GetStream();
            if (redis.PasswordParameter is { } parameter)
            {
                var password = await parameter.GetValueAsync(limited.Token).ConfigureAwait(false) ?? "";
                var reply = await AskAsync(stream, ["AUTH", password], limited.Token).ConfigureAwait(false);
                if (reply != "+OK") return HealthCheckResult.Unhealthy($"AUTH: {reply}");
            }
            var pong = await AskAsync(stream, ["PING"], limited.Token).ConfigureAwait(false);
            return pong == "+PONG" ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"PING: {pong}");
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy(e.Message, e);
        }
    }

    private static async Task<string> AskAsync(NetworkStream stream, string[] words, CancellationToken ct)
    {
        var request = new StringBuilder().Append('*').Append(words.Length).Append("\r\n");
        foreach (var word in words) request.Append('$').Append(Encoding.UTF8.GetByteCount(word)).Append("\r\n").Append(word).Append("\r\n");
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request.ToString()), ct).ConfigureAwait(false);

        var buffer = ArrayPool<byte>.Shared.Rent(512);
        try
        {
            var length = 0;
            while (length < buffer.Length)
            {
                var read = await stream.ReadAsync(buffer.AsMemory(length), ct).ConfigureAwait(false);
                if (read == 0) throw new IOException("the server closed the connection");
                length += read;
                var end = buffer.AsSpan(0, length).IndexOf("\r\n"u8);
                if (end >= 0) return Encoding.UTF8.GetString(buffer, 0, end);
            }
            throw new IOException("the reply is too long");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
