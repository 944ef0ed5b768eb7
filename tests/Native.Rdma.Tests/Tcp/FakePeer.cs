using System.Net;
using System.Net.Sockets;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Tests.Tcp;

/// <summary>A peer that speaks raw bytes: every connection is handed to a script of the test.</summary>
internal sealed class FakePeer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public FakePeer(Func<NetworkStream, byte[], Task> answer)
    {
        _listener.Start();
        _serving = Task.Run(async () =>
        {
            List<Task> open = [];
            try
            {
                while (true) open.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token), answer));
            }
            catch (OperationCanceledException)
            {
                await Task.WhenAll(open);
            }
        });
    }

    public int Connections { get; private set; }
    public TransferPeer Peer => new(_listener.LocalEndpoint.ToString()!, Incarnation: 1);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync(TcpClient client, Func<NetworkStream, byte[], Task> answer)
    {
        Connections++;
        using var _ = client;
        var stream = client.GetStream();
        var header = new byte[40];
        try
        {
            while (true)
            {
                await stream.ReadExactlyAsync(header, _stop.Token);
                var ranges = new byte[16 * BitConverter.ToUInt16(header, 6)];
                await stream.ReadExactlyAsync(ranges, _stop.Token);
                await answer(stream, [.. header, .. ranges]);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The reader hung up, or the test is over.
        }
    }

    /// <summary>A well-formed reply header, to be bent by the test.</summary>
    public static byte[] Reply(ulong frameId, ulong payload, byte code = 0)
    {
        var reply = new byte[32];
        BitConverter.TryWriteBytes(reply, 0x5254414Eu);
        (reply[4], reply[5]) = (TcpWire.Version, code);
        BitConverter.TryWriteBytes(reply.AsSpan(8), frameId);
        BitConverter.TryWriteBytes(reply.AsSpan(16), payload);
        return reply;
    }

    public static ulong FrameId(byte[] request) => BitConverter.ToUInt64(request, 32);
}
