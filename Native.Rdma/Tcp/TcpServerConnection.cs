using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>Serves the requests of one reader in order. The region and its guard are pinned only while bytes of a frame are being sent.</summary>
internal sealed class TcpServerConnection(Socket socket, RegionRegistry regions, TcpTransportOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    private readonly SocketPump _in = new(socket);
    private readonly SocketPump _out = new(socket);
    private readonly byte[] _request = new byte[TcpWire.MaxRequestBytes];
    private readonly byte[] _reply = new byte[TcpWire.ReplyHeaderBytes];
    private readonly SourceRange[] _ranges = new SourceRange[TcpWire.MaxFrameRanges];
    private readonly Dictionary<ulong, (ReadLease Lease, long Since)> _pins = [];

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
                deadline.Restart(TimeToNextRequest());
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
            foreach (var pin in _pins.Values) pin.Lease.Dispose();
            _pins.Clear();
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

    private ValueTask AnswerAsync(RequestHeader header, CancellationToken cancellationToken) => header.Op switch
    {
        TcpOp.Read => AnswerReadAsync(header, cancellationToken),
        TcpOp.Describe => AnswerDescribeAsync(header, cancellationToken),
        TcpOp.Pin => AnswerPinAsync(header, cancellationToken),
        TcpOp.Unpin => AnswerUnpinAsync(header, cancellationToken),
        _ => ReplyAsync(TransferCode.Ok, header.FrameId, payloadBytes: 0, cancellationToken),
    };

    private async ValueTask AnswerReadAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        var ranges = new ArraySegment<SourceRange>(_ranges, 0, header.RangeCount);
        var (code, lease, bytes) = await OpenAsync(header, ranges, TcpWire.MaxFrameBytes, cancellationToken).ConfigureAwait(false);
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

    private async ValueTask AnswerDescribeAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        var code = ReadLease.TryFind(regions, header.Incarnation, header.Region, out var region);
        if (region is null)
        {
            await RefuseAsync(code, header.FrameId, cancellationToken).ConfigureAwait(false);
            return;
        }
        var bytes = 0;
        if (RegionDescription.Of(region) is { } description)
        {
            description.Write(_request);
            bytes = RegionDescription.Bytes;
        }
        await ReplyAsync(TransferCode.Ok, header.FrameId, (ulong)bytes, cancellationToken).ConfigureAwait(false);
        await _out.SendAsync(_request.AsMemory(0, bytes), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask AnswerPinAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        var ranges = new ArraySegment<SourceRange>(_ranges, 0, header.RangeCount);
        var (code, lease, bytes) = await OpenAsync(header, ranges, TcpWire.MaxPinnedBytes, cancellationToken).ConfigureAwait(false);
        if (code == TransferCode.Ok && (_pins.Count == TcpWire.MaxPins || !_pins.TryAdd(header.FrameId, (lease, time.GetTimestamp()))))
        {
            lease.Dispose();
            code = TransferCode.LimitExceeded;
        }
        if (code != TransferCode.Ok)
        {
            await RefuseAsync(code, header.FrameId, cancellationToken).ConfigureAwait(false);
            return;
        }
        await ReplyAsync(TransferCode.Ok, header.FrameId, payloadBytes: 0, cancellationToken).ConfigureAwait(false);
        Telemetry.Served("shm", bytes);
    }

    private ValueTask AnswerUnpinAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        if (!_pins.Remove(header.Token, out var pin)) return RefuseAsync(TransferCode.BadRequest, header.FrameId, cancellationToken);
        pin.Lease.Dispose();
        return ReplyAsync(TransferCode.Ok, header.FrameId, payloadBytes: 0, cancellationToken);
    }

    /// <summary>No pin outlives its own deadline, whatever else the reader asks for meanwhile.</summary>
    private TimeSpan TimeToNextRequest()
    {
        if (_pins.Count == 0) return options.IdleTimeout * 2;
        var left = options.PinTimeout - time.GetElapsedTime(_pins.Values.Min(static pin => pin.Since));
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private async ValueTask<(TransferCode Code, ReadLease Lease, ulong Bytes)> OpenAsync(
        RequestHeader header, ArraySegment<SourceRange> ranges, ulong limit, CancellationToken cancellationToken)
    {
        await _in.ReceiveAsync(_request.AsMemory(TcpWire.RequestHeaderBytes, ranges.Count * TcpWire.RangeBytes), cancellationToken).ConfigureAwait(false);
        if (!TcpRanges.TryRead(_request.AsSpan(TcpWire.RequestHeaderBytes), ranges, limit, out var bytes)) return (TransferCode.LimitExceeded, default, 0);
        var code = ReadLease.TryOpen(regions, header.Incarnation, header.Region, header.Token, ranges, out var lease);
        return (code, lease, bytes);
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
