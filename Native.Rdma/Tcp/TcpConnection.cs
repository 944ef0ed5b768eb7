using System.Net;
using System.Net.Sockets;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>One connection of a reader. Used by one read at a time; after any failure it is disposed, never used again.</summary>
internal sealed class TcpConnection : IDisposable
{
    /// <summary>Frames pinned, and copied, at one time before the speed of this peer is known: a pin does not wait for ever.</summary>
    private const int PinsAtFirst = 4, CopiesAtFirst = 2;
    /// <summary>
    /// Of a fast peer as much as <see cref="TcpWire.MaxPins"/> frames is pinned, but several frames with one pin: every message wakes somebody,
    /// which on a small machine takes time from the copy.
    /// </summary>
    private const int FramesPerPinWhenFast = 4, PinsWhenFast = TcpWire.MaxPins / FramesPerPinWhenFast, CopiesWhenFast = PinsWhenFast - 1;
    /// <summary>A frame copied within it is fast: what is pinned ahead is then copied long before any of the pins ends.</summary>
    private static readonly TimeSpan FastCopy = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly SocketPump _out;
    private readonly SocketPump _in;
    private readonly TcpTransportOptions _options;
    private readonly TimeProvider _time;
    private byte[] _request = new byte[TcpWire.RequestHeaderBytes + 64 * TcpWire.RangeBytes];
    private readonly byte[] _reply = new byte[TcpWire.ReplyHeaderBytes];
    private ulong _lastSent;
    private ulong _lastReceived;

    private TcpConnection(Socket socket, TcpTransportOptions options, TimeProvider time)
    {
        (_socket, _out, _in, _options, _time) = (socket, new(socket), new(socket), options, time);
        Telemetry.ConnectionsChanged("reader", 1);
    }

    /// <summary>Timestamp of the moment it went back to the pool.</summary>
    public long IdleSince { get; set; }

    /// <exception cref="TransferException"><see cref="TransferCode.PeerLost"/> or <see cref="TransferCode.Timeout"/>.</exception>
    public static async Task<TcpConnection> ConnectAsync(string address, TcpTransportOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var endPoint = Parse(address);
        using var deadline = new FrameDeadline(options.ConnectTimeout, time, cancellationToken);
        var socket = endPoint is IPEndPoint ip
            ? new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(endPoint, deadline.Token).ConfigureAwait(false);
            return new(socket, options, time);
        }
        catch (Exception e)
        {
            socket.Dispose();
            throw e switch
            {
                SocketException => new TransferException(TransferCode.PeerLost, $"cannot connect to {address}: {e.Message}", e),
                OperationCanceledException when deadline.IsOver =>
                    new TransferException(TransferCode.Timeout, $"no connection to {address} within {options.ConnectTimeout.TotalSeconds} s", e),
                _ => e,
            };
        }
    }

    /// <summary>False when the peer closed it, or sent something unasked, while it was idle.</summary>
    public async ValueTask<bool> IsUsableAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_socket.Poll(0, SelectMode.SelectRead)) return false;
            if (_time.GetElapsedTime(IdleSince) < _options.PingAfter) return true;
            await PingAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (TransferException)
        {
            return false;
        }
    }

    /// <summary>Reads frames of the plan until none is left, two in flight.</summary>
    /// <exception cref="TransferException">The source refused, is gone, was too slow or talks nonsense.</exception>
    public Task ReadFramesAsync(TransferPlan plan, TransferPeer peer, ulong token, CancellationToken cancellationToken) => GuardedAsync(async deadline =>
    {
        if (!plan.TryTakeFrame(out var current)) return;
        try
        {
            await SendAsync(TcpOp.Read, current, plan, peer, token, deadline.Token).ConfigureAwait(false);
            for (var more = true; more; )
            {
                if (plan.Bytes >= LaneThread.LargeRead) await LaneThread.EnterAsync();
                more = plan.TryTakeFrame(out var next);
                if (more) await SendAsync(TcpOp.Read, next, plan, peer, token, deadline.Token).ConfigureAwait(false);
                Expect(current.Bytes, await ReceiveReplyAsync(deadline.Token).ConfigureAwait(false));
                await _in.ReceiveAsync(new Segments(plan, current), deadline.Token).ConfigureAwait(false);
                deadline.Restart(_options.FrameTimeout);
                current = next;
            }
        }
        finally
        {
            await LaneThread.LeaveAsync();
        }
    }, cancellationToken);

    public Task PingAsync(CancellationToken cancellationToken) => GuardedAsync(async deadline =>
    {
        await SendAsync(TcpOp.Ping, default, default, token: 0, deadline.Token).ConfigureAwait(false);
        await ReceiveThroughAsync(_lastSent, deadline.Token).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>Writes frames of the plan until none is left, two in flight.</summary>
    /// <exception cref="TransferException">The owner refused, is gone, was too slow or talks nonsense.</exception>
    public Task WriteFramesAsync(TransferPlan plan, TransferPeer peer, ulong token, CancellationToken cancellationToken) => GuardedAsync(async deadline =>
    {
        while (plan.TryTakeFrame(out var frame))
        {
            await SendAsync(TcpOp.Write, frame, plan, peer, token, deadline.Token).ConfigureAwait(false);
            await _out.SendAsync(new Segments(plan, frame), deadline.Token).ConfigureAwait(false);
            if (_lastSent - _lastReceived > 1) Expect(0, await ReceiveReplyAsync(deadline.Token).ConfigureAwait(false));
            deadline.Restart(_options.FrameTimeout);
        }
        await ReceiveThroughAsync(_lastSent, deadline.Token).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>Delivers <paramref name="value"/> to the owner of a region, once everything written before is there.</summary>
    public Task NotifyAsync(TransferPeer peer, RegionId region, ulong token, ulong value, CancellationToken cancellationToken) => GuardedAsync(async deadline =>
    {
        await SendAsync(TcpOp.Notify, peer, region, token, deadline.Token, new SourceRange(value, 0)).ConfigureAwait(false);
        await ReceiveThroughAsync(_lastSent, deadline.Token).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>Delivers a message; completes when the peer has it.</summary>
    public Task SendMessageAsync(TransferPeer peer, ulong tag, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => GuardedAsync(async deadline =>
    {
        await SendAsync(TcpOp.Send, peer, default, tag, deadline.Token, new SourceRange(0, (ulong)message.Length)).ConfigureAwait(false);
        await _out.SendAsync(message, deadline.Token).ConfigureAwait(false);
        await ReceiveThroughAsync(_lastSent, deadline.Token).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>Asks the worker of a path at the source to stand still, or to go on.</summary>
    public Task HoldAsync(TransferPeer peer, byte path, bool hold, CancellationToken cancellationToken) => GuardedAsync(async deadline =>
    {
        await SendAsync(hold ? TcpOp.Hold : TcpOp.Resume, peer, default, path, deadline.Token).ConfigureAwait(false);
        await ReceiveThroughAsync(_lastSent, deadline.Token).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>How the region is reached by the path; null when it cannot.</summary>
    public async Task<byte[]?> DescribeAsync(TransferPeer peer, RegionId region, byte path, bool writes, CancellationToken cancellationToken)
    {
        byte[]? description = null;
        await GuardedAsync(async deadline =>
        {
            await SendAsync(TcpOp.Describe, peer, region, DescribeToken.Of(path, writes), deadline.Token).ConfigureAwait(false);
            if (await ReceiveReplyAsync(deadline.Token).ConfigureAwait(false) is not (> 0 and var bytes)) return;
            if (bytes > TcpWire.MaxDescriptionBytes) throw new TransferException(TransferCode.Protocol, $"a region description of {bytes} bytes");
            description = new byte[(int)bytes];
            await _in.ReceiveAsync(description, deadline.Token).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
        return description;
    }

    /// <summary>
    /// Has the owner hold still, or leave to us, what each frame names while <paramref name="copy"/> runs; frames are pinned ahead, so that
    /// neither side waits for the other, and the further ahead the faster they are copied.
    /// When it returns, every pin was held until its copy had ended; when it throws, no copy runs any more either.
    /// </summary>
    /// <param name="plan">Its frames are taken until none is left.</param>
    /// <param name="peer">The owner.</param>
    /// <param name="pin">To read or to write.</param>
    /// <param name="token">Shown to the owner's guard.</param>
    /// <param name="copy">Moves a frame.</param>
    /// <param name="overlaps">Start a copy before the one before has ended.</param>
    /// <param name="cancellationToken">Passed on to the copies.</param>
    /// <exception cref="TransferException">As <see cref="ReadFramesAsync"/>; what was copied is undefined then.</exception>
    public Task CopyPinnedAsync(
        TransferPlan plan, TransferPeer peer, TcpOp pin, ulong token, Func<TransferFrame, CancellationToken, Task> copy, bool overlaps, CancellationToken cancellationToken) => GuardedAsync(async deadline =>
    {
        var ahead = new Queue<(TransferFrame Frame, ulong Pin)>();
        var running = new Queue<PinnedCopy>();
        var (pins, copies, together) = (1, overlaps ? CopiesAtFirst : 1, 1);
        try
        {
            while (true)
            {
                while (ahead.Count + running.Count < pins && plan.TryTakeFrames(together, TcpWire.MaxPinRanges, TcpWire.MaxPinnedBytes, out var frame))
                {
                    await SendAsync(pin, frame, plan, peer, token, deadline.Token).ConfigureAwait(false);
                    ahead.Enqueue((frame, _lastSent));
                }
                while (running.Count < copies && ahead.TryDequeue(out var next))
                {
                    await ReceiveThroughAsync(next.Pin, deadline.Token).ConfigureAwait(false);
                    running.Enqueue(new(copy(next.Frame, deadline.Token), next.Pin, next.Frame.Remote, _time.GetTimestamp()));
                }
                if (!running.TryPeek(out var first)) break;
                if (pins == 1)
                {
                    pins = PinsAtFirst; // asked for while the first frame is being copied, not before
                    continue;
                }
                await first.Copy.ConfigureAwait(false);
                running.Dequeue();
                if (_time.GetElapsedTime(first.Since) < FastCopy) (pins, copies, together) = (PinsWhenFast, overlaps ? CopiesWhenFast : 1, FramesPerPinWhenFast);
                await SendAsync(TcpOp.Unpin, peer, first.Region, first.Pin, deadline.Token).ConfigureAwait(false);
                deadline.Restart(_options.FrameTimeout);
            }
            await ReceiveThroughAsync(_lastSent, deadline.Token).ConfigureAwait(false);
        }
        finally
        {
            foreach (var unfinished in running) await unfinished.Copy.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }, cancellationToken);

    private sealed record PinnedCopy(Task Copy, ulong Pin, RegionId Region, long Since);

    public void Dispose()
    {
        if (!_socket.SafeHandle.IsClosed) Telemetry.ConnectionsChanged("reader", -1);
        _socket.Dispose();
        _out.Dispose();
        _in.Dispose();
    }

    private ValueTask SendAsync(TcpOp op, TransferFrame frame, TransferPlan plan, TransferPeer peer, ulong token, CancellationToken cancellationToken)
    {
        var bytes = TcpWire.RequestHeaderBytes + frame.Count * TcpWire.RangeBytes;
        if (_request.Length < bytes) _request = new byte[bytes];
        new RequestHeader(op, frame.Count, peer.Incarnation, frame.Remote, token, ++_lastSent).Write(_request);
        TcpRanges.Write(plan.Slice(frame.Start, frame.Count), _request.AsSpan(TcpWire.RequestHeaderBytes));
        return _out.SendAsync(_request.AsMemory(0, bytes), cancellationToken);
    }

    private ValueTask SendAsync(TcpOp op, TransferPeer peer, RegionId region, ulong token, CancellationToken cancellationToken, SourceRange? range = null)
    {
        new RequestHeader(op, range is null ? 0 : 1, peer.Incarnation, region, token, ++_lastSent).Write(_request);
        if (range is { } only) TcpRanges.Write(only, _request.AsSpan(TcpWire.RequestHeaderBytes));
        return _out.SendAsync(_request.AsMemory(0, TcpWire.RequestHeaderBytes + (range is null ? 0 : TcpWire.RangeBytes)), cancellationToken);
    }

    /// <summary>Takes the replies without payload up to that of <paramref name="frameId"/>.</summary>
    private async ValueTask ReceiveThroughAsync(ulong frameId, CancellationToken cancellationToken)
    {
        while (_lastReceived < frameId) Expect(0, await ReceiveReplyAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <returns>Bytes that follow.</returns>
    private async ValueTask<ulong> ReceiveReplyAsync(CancellationToken cancellationToken)
    {
        await _in.ReceiveAsync(_reply, cancellationToken).ConfigureAwait(false);
        if (!ReplyHeader.TryRead(_reply, out var reply)) throw new TransferException(TransferCode.Protocol, "the peer's answer is not a reply");
        if (reply.Code is TransferCode.Busy or TransferCode.BadRequest) throw new TransferException(reply.Code, RegionLease.Explain(reply.Code));
        if (reply.FrameId != ++_lastReceived) throw new TransferException(TransferCode.Protocol, $"reply {reply.FrameId} came where {_lastReceived} was due");
        if (reply.Code != TransferCode.Ok) throw new TransferException(reply.Code, RegionLease.Explain(reply.Code));
        return reply.PayloadBytes;
    }

    private static void Expect(ulong bytes, ulong announced)
    {
        if (announced != bytes) throw new TransferException(TransferCode.Protocol, $"the reply announces {announced} bytes, asked for were {bytes}");
    }

    private async Task GuardedAsync(Func<FrameDeadline, Task> work, CancellationToken cancellationToken)
    {
        using var deadline = new FrameDeadline(_options.FrameTimeout, _time, cancellationToken);
        try
        {
            await work(deadline).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException or ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new TransferException(TransferCode.PeerLost, $"the connection to the peer broke: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (deadline.IsOver)
        {
            throw new TransferException(TransferCode.Timeout, $"no complete answer within {_options.FrameTimeout.TotalSeconds} s", e);
        }
    }

    private static EndPoint Parse(string address)
    {
        if (IPEndPoint.TryParse(address, out var ip) && ip.Port > 0) return ip;
        var colon = address.LastIndexOf(':');
        if (colon > 0 && ushort.TryParse(address.AsSpan(colon + 1), out var port) && port > 0) return new DnsEndPoint(address[..colon], port);
        throw new TransferException(TransferCode.PeerLost, $"'{address}' is not a host:port address");
    }
}
