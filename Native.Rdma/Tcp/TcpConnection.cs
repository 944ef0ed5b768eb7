using System.Net;
using System.Net.Sockets;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>One connection of a reader. Used by one read at a time; after any failure it is disposed, never used again.</summary>
internal sealed class TcpConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly SocketPump _out;
    private readonly SocketPump _in;
    private readonly TcpTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly byte[] _request = new byte[TcpWire.MaxRequestBytes];
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
    public Task ReadFramesAsync(ReadPlan plan, TransferPeer peer, ulong token, CancellationToken cancellationToken) => GuardedAsync(async deadline =>
    {
        if (!plan.TryTakeFrame(out var current)) return;
        await SendAsync(TcpOp.Read, current, plan, peer, token, deadline.Token).ConfigureAwait(false);
        for (var more = true; more; )
        {
            more = plan.TryTakeFrame(out var next);
            if (more) await SendAsync(TcpOp.Read, next, plan, peer, token, deadline.Token).ConfigureAwait(false);
            Expect(current.Bytes, await ReceiveReplyAsync(deadline.Token).ConfigureAwait(false));
            await _in.ReceiveAsync(plan, current, deadline.Token).ConfigureAwait(false);
            deadline.Restart(_options.FrameTimeout);
            current = next;
        }
    }, cancellationToken);

    public Task PingAsync(CancellationToken cancellationToken) => GuardedAsync(async deadline =>
    {
        await SendAsync(TcpOp.Ping, default, default, token: 0, deadline.Token).ConfigureAwait(false);
        await ReceiveThroughAsync(_lastSent, deadline.Token).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>How the region can be mapped; null when it cannot.</summary>
    public async Task<RegionDescription?> DescribeAsync(TransferPeer peer, RegionId region, CancellationToken cancellationToken)
    {
        RegionDescription? description = null;
        await GuardedAsync(async deadline =>
        {
            await SendAsync(TcpOp.Describe, peer, region, token: 0, deadline.Token).ConfigureAwait(false);
            if (await ReceiveReplyAsync(deadline.Token).ConfigureAwait(false) is not (> 0 and var bytes)) return;
            if (bytes != RegionDescription.Bytes) throw new TransferException(TransferCode.Protocol, $"a region description of {bytes} bytes");
            await _in.ReceiveAsync(_request.AsMemory(0, RegionDescription.Bytes), deadline.Token).ConfigureAwait(false);
            description = RegionDescription.Read(_request);
        }, cancellationToken).ConfigureAwait(false);
        return description;
    }

    /// <summary>
    /// Has the source hold still what each frame names while <paramref name="copy"/> runs, the next frame being pinned meanwhile.
    /// When it returns, every pin was held until its copy had ended.
    /// </summary>
    /// <exception cref="TransferException">As <see cref="ReadFramesAsync"/>; what was copied is undefined then.</exception>
    public Task CopyPinnedAsync(
        ReadPlan plan, TransferPeer peer, ulong token, Func<ReadFrame, CancellationToken, Task> copy, CancellationToken cancellationToken) => GuardedAsync(async deadline =>
    {
        if (!plan.TryTakeFrame(out var current)) return;
        await SendAsync(TcpOp.Pin, current, plan, peer, token, deadline.Token).ConfigureAwait(false);
        var pin = _lastSent;
        for (var more = true; more;)
        {
            await ReceiveThroughAsync(pin, deadline.Token).ConfigureAwait(false);
            more = plan.TryTakeFrame(out var next);
            if (more) await SendAsync(TcpOp.Pin, next, plan, peer, token, deadline.Token).ConfigureAwait(false);
            var nextPin = _lastSent;
            await copy(current, deadline.Token).ConfigureAwait(false);
            await SendAsync(TcpOp.Unpin, peer, current.Remote, token: pin, deadline.Token).ConfigureAwait(false);
            deadline.Restart(_options.FrameTimeout);
            (current, pin) = (next, nextPin);
        }
        await ReceiveThroughAsync(_lastSent, deadline.Token).ConfigureAwait(false);
    }, cancellationToken);

    public void Dispose()
    {
        if (!_socket.SafeHandle.IsClosed) Telemetry.ConnectionsChanged("reader", -1);
        _socket.Dispose();
        _out.Dispose();
        _in.Dispose();
    }

    private ValueTask SendAsync(TcpOp op, ReadFrame frame, ReadPlan plan, TransferPeer peer, ulong token, CancellationToken cancellationToken)
    {
        new RequestHeader(op, frame.Count, peer.Incarnation, frame.Remote, token, ++_lastSent).Write(_request);
        TcpRanges.Write(plan.Slice(frame.Start, frame.Count), _request.AsSpan(TcpWire.RequestHeaderBytes));
        return _out.SendAsync(_request.AsMemory(0, TcpWire.RequestHeaderBytes + frame.Count * TcpWire.RangeBytes), cancellationToken);
    }

    private ValueTask SendAsync(TcpOp op, TransferPeer peer, RegionId region, ulong token, CancellationToken cancellationToken)
    {
        new RequestHeader(op, RangeCount: 0, peer.Incarnation, region, token, ++_lastSent).Write(_request);
        return _out.SendAsync(_request.AsMemory(0, TcpWire.RequestHeaderBytes), cancellationToken);
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
        if (reply.Code is TransferCode.Busy or TransferCode.BadRequest) throw new TransferException(reply.Code, ReadLease.Explain(reply.Code));
        if (reply.FrameId != ++_lastReceived) throw new TransferException(TransferCode.Protocol, $"reply {reply.FrameId} came where {_lastReceived} was due");
        if (reply.Code != TransferCode.Ok) throw new TransferException(reply.Code, ReadLease.Explain(reply.Code));
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
