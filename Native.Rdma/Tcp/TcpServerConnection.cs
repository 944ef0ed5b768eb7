using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>Serves the requests of one reader in order. The region and its guard are pinned only while bytes of a frame are being sent.</summary>
internal sealed class TcpServerConnection(Socket socket, RegionRegistry regions, TcpTransportOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    private readonly SocketPump _in = new(socket);
    private readonly SocketPump _out = new(socket);
    private readonly byte[] _request = new byte[TcpWire.MaxRequestBytes];
    private readonly byte[] _reply = new byte[TcpWire.ReplyHeaderBytes];
    private readonly SourceRange[] _ranges = new SourceRange[TcpWire.MaxFrameRanges];

    /// <summary>Returns when the reader closes, breaks the protocol, stalls or stays idle; never throws for what a reader does.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var deadline = new FrameDeadline(options.IdleTimeout * 2, time, cancellationToken);
        var peer = socket.RemoteEndPoint;
        Telemetry.ConnectionsChanged("source", 1);
        try
        {
            while (await _in.TryReceiveAsync(_request.AsMemory(0, TcpWire.RequestHeaderBytes), deadline.Token).ConfigureAwait(false))
            {
                deadline.Restart(options.FrameTimeout);
                if (!RequestHeader.TryRead(_request, out var header))
                {
                    logger.BadRequest(peer);
                    await RefuseAsync(TransferCode.BadRequest, frameId: 0, deadline.Token).ConfigureAwait(false);
                    return;
                }
                await AnswerAsync(header, deadline.Token).ConfigureAwait(false);
                deadline.Restart(options.IdleTimeout * 2);
            }
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException)
        {
            logger.ReaderGone(peer, e.Message);
        }
        catch (OperationCanceledException)
        {
            if (deadline.IsOver) logger.ReaderStalled(peer);
        }
        finally
        {
            Telemetry.ConnectionsChanged("source", -1);
        }
    }

    /// <summary>Tells a reader that came too many, as far as it listens.</summary>
    public async Task RefuseAsync(CancellationToken cancellationToken)
    {
        using var deadline = new FrameDeadline(options.FrameTimeout, time, cancellationToken);
        try
        {
            await RefuseAsync(TransferCode.Busy, frameId: 0, deadline.Token).ConfigureAwait(false);
            socket.Shutdown(SocketShutdown.Send);
            // Read what it had sent: closing with unread bytes would reset the connection before our answer arrives.
            while (await socket.ReceiveAsync(_request.AsMemory(), deadline.Token).ConfigureAwait(false) > 0) { }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            logger.ReaderGone(null, e.Message);
        }
    }

    public void Dispose()
    {
        socket.Dispose();
        _in.Dispose();
        _out.Dispose();
    }

    private async ValueTask AnswerAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        if (header.Op == TcpOp.Ping)
        {
            await ReplyAsync(TransferCode.Ok, header.FrameId, payloadBytes: 0, cancellationToken).ConfigureAwait(false);
            return;
        }

        await _in.ReceiveAsync(_request.AsMemory(TcpWire.RequestHeaderBytes, header.RangeCount * TcpWire.RangeBytes), cancellationToken).ConfigureAwait(false);
        var ranges = new ArraySegment<SourceRange>(_ranges, 0, header.RangeCount);
        if (!TcpRanges.TryRead(_request.AsSpan(TcpWire.RequestHeaderBytes), ranges, out var bytes))
        {
            await RefuseAsync(TransferCode.LimitExceeded, header.FrameId, cancellationToken).ConfigureAwait(false);
            return;
        }
        var code = ReadLease.TryOpen(regions, header.Incarnation, header.Region, header.Token, ranges, out var lease);
        if (code != TransferCode.Ok)
        {
            await RefuseAsync(code, header.FrameId, cancellationToken).ConfigureAwait(false);
            return;
        }
        using (lease)
        {
            await ReplyAsync(TransferCode.Ok, header.FrameId, bytes, cancellationToken).ConfigureAwait(false);
            await _out.SendAsync(lease.Address, ranges, cancellationToken).ConfigureAwait(false);
        }
        Telemetry.Served("tcp", bytes);
    }

    private ValueTask RefuseAsync(TransferCode code, ulong frameId, CancellationToken cancellationToken)
    {
        Telemetry.RefusedRequest("tcp", code);
        return ReplyAsync(code, frameId, payloadBytes: 0, cancellationToken);
    }

    private ValueTask ReplyAsync(TransferCode code, ulong frameId, ulong payloadBytes, CancellationToken cancellationToken)
    {
        new ReplyHeader(code, frameId, payloadBytes).Write(_reply);
        return _out.SendAsync(_reply, cancellationToken);
    }
}
