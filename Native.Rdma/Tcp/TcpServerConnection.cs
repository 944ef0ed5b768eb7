using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma.Cuda;
using NanoAspire.Native.Rdma.OneSided;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>Serves the requests of one reader in order. The region and its guard are pinned only while bytes of a frame are being sent.</summary>
internal sealed class TcpServerConnection(
    Socket socket, RegionRegistry regions, IReadOnlyList<IOneSidedPath> paths, TcpTransportOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    private readonly SocketPump _in = new(socket);
    private readonly SocketPump _out = new(socket);
    /// <summary>Grows to what is asked for: most connections ask for little.</summary>
    private byte[] _request = new byte[TcpWire.RequestHeaderBytes + 64 * TcpWire.RangeBytes];
    private readonly byte[] _reply = new byte[TcpWire.ReplyHeaderBytes];
    private SourceRange[] _ranges = new SourceRange[64];
    private readonly Dictionary<ulong, (RegionLease Lease, long? Since)> _pins = [];
    private IOneSidedPath? _held;
    private bool _lastWasLarge;

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
                MakeRoom(header.RangeCount);
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
            _held?.Hold(false);
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

    private void MakeRoom(int ranges)
    {
        if (ranges <= _ranges.Length) return;
        _ranges = new SourceRange[ranges];
        _request = new byte[TcpWire.RequestHeaderBytes + ranges * TcpWire.RangeBytes];
    }

    private ValueTask AnswerAsync(RequestHeader header, CancellationToken cancellationToken) => header.Op switch
    {
        TcpOp.Read => AnswerReadAsync(header, cancellationToken),
        TcpOp.Describe => AnswerDescribeAsync(header, cancellationToken),
        TcpOp.Pin or TcpOp.PinToWrite => AnswerPinAsync(header, cancellationToken),
        TcpOp.Unpin => AnswerUnpinAsync(header, cancellationToken),
        TcpOp.Write => AnswerWriteAsync(header, cancellationToken),
        TcpOp.Notify => AnswerNotifyAsync(header, cancellationToken),
        TcpOp.Send => AnswerSendAsync(header, cancellationToken),
        TcpOp.Hold or TcpOp.Resume => AnswerHoldAsync(header, cancellationToken),
        _ => ReplyAsync(TransferCode.Ok, header.FrameId, payloadBytes: 0, cancellationToken),
    };

    private async ValueTask AnswerReadAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        var ranges = new ArraySegment<SourceRange>(_ranges, 0, header.RangeCount);
        var (code, lease, bytes) = await OpenAsync(header, RegionAccess.PeersRead, ranges, TcpWire.MaxFrameBytes, byProcessor: true, cancellationToken).ConfigureAwait(false);
        if (code != TransferCode.Ok)
        {
            await RefuseAsync(code, header.FrameId, cancellationToken).ConfigureAwait(false);
            return;
        }
        using (lease)
        {
            // The second large frame in a row: a stream of them, worth a thread until it pauses.
            if (_lastWasLarge && bytes >= LaneThread.LargeFrame) await LaneThread.EnterAsync();
            _lastWasLarge = bytes >= LaneThread.LargeFrame;
            await ReplyAsync(TransferCode.Ok, header.FrameId, bytes, cancellationToken).ConfigureAwait(false);
            await _out.SendAsync(new Segments(lease.Address, ranges), cancellationToken).ConfigureAwait(false);
        }
        Telemetry.Served("tcp", bytes);
    }

    private async ValueTask AnswerWriteAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        var ranges = new ArraySegment<SourceRange>(_ranges, 0, header.RangeCount);
        var (code, lease, bytes) = await OpenAsync(header, RegionAccess.PeersWrite, ranges, TcpWire.MaxFrameBytes, byProcessor: true, cancellationToken).ConfigureAwait(false);
        if (code != TransferCode.Ok)
        {
            // Its bytes are on their way; a frame too large to be thrown away ends the connection.
            if (code == TransferCode.LimitExceeded) await RefuseAsync(code, header.FrameId, cancellationToken).ConfigureAwait(false);
            if (code == TransferCode.LimitExceeded) throw new EndOfStreamException("a write of more bytes than a frame may carry");
            await _in.DiscardAsync(bytes, cancellationToken).ConfigureAwait(false);
            await RefuseAsync(code, header.FrameId, cancellationToken).ConfigureAwait(false);
            return;
        }
        using (lease) await _in.ReceiveAsync(new Segments(lease.Address, ranges), cancellationToken).ConfigureAwait(false);
        await ReplyAsync(TransferCode.Ok, header.FrameId, payloadBytes: 0, cancellationToken).ConfigureAwait(false);
        Telemetry.Taken("tcp", bytes);
    }

    private async ValueTask AnswerNotifyAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        var value = await ReceiveRangeAsync(cancellationToken).ConfigureAwait(false);
        var code = RegionLease.TryOpen(regions, header.Incarnation, header.Region, RegionAccess.PeersWrite, header.Token, [], out var lease);
        if (code == TransferCode.Ok)
        {
            lease.Dispose();
            code = await DeliverAsync(stop => regions.Inbox.PostAsync(new TransferNotification(header.Region, header.Token, value.Offset), stop), cancellationToken).ConfigureAwait(false);
        }
        await AnswerAsync(code, header.FrameId, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask AnswerSendAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        var size = await ReceiveRangeAsync(cancellationToken).ConfigureAwait(false);
        if (size.Length > TransferInbox.MaxMessageBytes)
        {
            await RefuseAsync(TransferCode.LimitExceeded, header.FrameId, cancellationToken).ConfigureAwait(false);
            throw new EndOfStreamException("a message of more bytes than one may have");
        }
        var message = GC.AllocateUninitializedArray<byte>((int)size.Length);
        await _in.ReceiveAsync(message, cancellationToken).ConfigureAwait(false);
        var code = header.Incarnation == regions.Incarnation
            ? await DeliverAsync(stop => new(regions.Inbox.PostAsync(header.Token, message, stop)), cancellationToken).ConfigureAwait(false)
            : TransferCode.StaleRegion;
        await AnswerAsync(code, header.FrameId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for room, but not longer than the sender does.</summary>
    private async ValueTask<TransferCode> DeliverAsync(Func<CancellationToken, ValueTask> post, CancellationToken cancellationToken)
    {
        using var patience = new FrameDeadline(options.FrameTimeout / 2, time, cancellationToken);
        try
        {
            await post(patience.Token).ConfigureAwait(false);
            return TransferCode.Ok;
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            return TransferCode.Busy;
        }
    }

    private async ValueTask<SourceRange> ReceiveRangeAsync(CancellationToken cancellationToken)
    {
        await _in.ReceiveAsync(_request.AsMemory(TcpWire.RequestHeaderBytes, TcpWire.RangeBytes), cancellationToken).ConfigureAwait(false);
        TcpRanges.TryRead(_request.AsSpan(TcpWire.RequestHeaderBytes), _ranges.AsSpan(0, 1), ulong.MaxValue, out _);
        return _ranges[0];
    }

    private async ValueTask AnswerDescribeAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        // Which ranges are granted is decided at the pin.
        var (kind, access) = DescribeToken.Read(header.Token);
        var code = RegionLease.TryFind(regions, header.Incarnation, header.Region, access, out var region);
        if (region is not null && !region.TryPin()) code = TransferCode.StaleRegion;
        if (code != TransferCode.Ok)
        {
            await RefuseAsync(code, header.FrameId, cancellationToken).ConfigureAwait(false);
            return;
        }
        byte[] description;
        try { description = paths.FirstOrDefault(p => p.Kind == kind)?.Describe(region!) ?? []; }
        finally { region!.Unpin(); }
        await ReplyAsync(TransferCode.Ok, header.FrameId, (ulong)description.Length, cancellationToken).ConfigureAwait(false);
        await _out.SendAsync(description, cancellationToken).ConfigureAwait(false);
    }

    private ValueTask AnswerHoldAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        var path = paths.FirstOrDefault(p => p.Kind == header.Token);
        if (path is null || header.Op == TcpOp.Hold && _held is not null) return RefuseAsync(TransferCode.BadRequest, header.FrameId, cancellationToken);
        if (header.Op == TcpOp.Hold) path.Hold(true);
        else _held?.Hold(false);
        _held = header.Op == TcpOp.Hold ? path : null;
        return ReplyAsync(TransferCode.Ok, header.FrameId, payloadBytes: 0, cancellationToken);
    }

    private async ValueTask AnswerPinAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        var ranges = new ArraySegment<SourceRange>(_ranges, 0, header.RangeCount);
        var writes = header.Op == TcpOp.PinToWrite;
        var access = writes ? RegionAccess.PeersWrite : RegionAccess.PeersRead;
        var (code, lease, bytes) = await OpenAsync(header, access, ranges, TcpWire.MaxPinnedBytes, byProcessor: false, cancellationToken).ConfigureAwait(false);
        // A stopped reader reads rubbish when it wakes, a stopped writer writes it: that pin ends with its connection only.
        long? since = writes ? null : time.GetTimestamp();
        if (code == TransferCode.Ok && (_pins.Count == TcpWire.MaxPins || !_pins.TryAdd(header.FrameId, (lease, since))))
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
        if (writes) Telemetry.Taken("pinned", bytes);
        else Telemetry.Served("pinned", bytes);
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
        if (_pins.Values.Min(static pin => pin.Since) is not { } oldest) return Timeout.InfiniteTimeSpan;
        var left = options.PinTimeout - time.GetElapsedTime(oldest);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private async ValueTask<(TransferCode Code, RegionLease Lease, ulong Bytes)> OpenAsync(
        RequestHeader header, RegionAccess access, ArraySegment<SourceRange> ranges, ulong limit, bool byProcessor, CancellationToken cancellationToken)
    {
        await _in.ReceiveAsync(_request.AsMemory(TcpWire.RequestHeaderBytes, ranges.Count * TcpWire.RangeBytes), cancellationToken).ConfigureAwait(false);
        if (!TcpRanges.TryRead(_request.AsSpan(TcpWire.RequestHeaderBytes), ranges, limit, out var bytes)) return (TransferCode.LimitExceeded, default, 0);
        var code = RegionLease.TryOpen(regions, header.Incarnation, header.Region, access, header.Token, ranges, out var lease);
        if (code != TransferCode.Ok || !byProcessor || DeviceAccess.RefusalOfProcessor(lease.Kind) is null) return (code, lease, bytes);
        lease.Dispose();
        return (TransferCode.DeviceMemory, default, bytes);
    }

    private ValueTask AnswerAsync(TransferCode code, ulong frameId, CancellationToken cancellationToken) =>
        code == TransferCode.Ok ? ReplyAsync(code, frameId, payloadBytes: 0, cancellationToken) : RefuseAsync(code, frameId, cancellationToken);

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
