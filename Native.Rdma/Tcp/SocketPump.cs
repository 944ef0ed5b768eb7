using System.Net.Sockets;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>Moves whole buffers and whole lists of memory pieces through a socket. One direction of one connection; not thread-safe.</summary>
internal sealed class SocketPump(Socket socket) : IDisposable
{
    /// <summary>What one call to the system moves at most; more would only hold on to the caches.</summary>
    private const int CallBytes = 1 << 20;
    /// <summary>A thread that waits for bytes of a frame is woken for no fewer, unless fewer are left: every one that came with a packet would cost a wake.</summary>
    private const int LowMarkBytes = 256 << 10;
    /// <summary>A thread of a lane waits as long for its socket before it is given up and the rest waited for in the pool.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);
    /// <summary>Waited for when the socket has no room, by a call that waits.</summary>
    private const int WaitBytes = 64 << 10;

    private int _lowMark = 1;
    private readonly NativeWindow _window = new();
    private readonly IoVector[] _vectors = new IoVector[SocketVectors.MaxPieces];

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0) bytes = bytes[await socket.SendAsync(bytes, cancellationToken).ConfigureAwait(false)..];
    }

    /// <returns>False when the peer closed the connection before the first byte.</returns>
    /// <exception cref="EndOfStreamException">It closed the connection after that.</exception>
    public async ValueTask<bool> TryReceiveAsync(Memory<byte> bytes, CancellationToken cancellationToken)
    {
        for (var done = 0; done < bytes.Length;)
        {
            if (LaneThread.IsCurrent) SocketVectors.Wait(socket, sends: false, Patience); // then the receive ends here, or in the pool
            var received = await socket.ReceiveAsync(bytes[done..], cancellationToken).ConfigureAwait(false);
            if (received == 0) return done == 0 ? false : throw new EndOfStreamException("the connection was closed in the middle of a frame");
            done += received;
        }
        return true;
    }

    public async ValueTask ReceiveAsync(Memory<byte> bytes, CancellationToken cancellationToken)
    {
        if (!await TryReceiveAsync(bytes, cancellationToken).ConfigureAwait(false) && bytes.Length > 0)
            throw new EndOfStreamException("the connection was closed");
    }

    /// <summary>Sends native memory, many pieces with one call to the system.</summary>
    public async ValueTask SendAsync(Segments segments, CancellationToken cancellationToken)
    {
        var at = default(Position);
        while (at.Index < segments.Count)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Gather(segments, at);
            var sent = SocketVectors.IsSupported ? SocketVectors.TrySend(socket, _vectors.AsSpan(0, count)) : -1;
            if (sent < 0 && LaneThread.IsCurrent && SocketVectors.Wait(socket, sends: true, Patience)) continue;
            if (sent < 0) sent = await socket.SendAsync(Window(WaitBytes), cancellationToken).ConfigureAwait(false);
            at = Advance(segments, at, sent);
        }
    }

    /// <summary>Receives straight into the pieces.</summary>
    public async ValueTask ReceiveAsync(Segments segments, CancellationToken cancellationToken)
    {
        var at = default(Position);
        for (var rest = segments.Bytes; at.Index < segments.Count;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Gather(segments, at);
            var received = SocketVectors.IsSupported ? SocketVectors.TryReceive(socket, _vectors.AsSpan(0, count)) : -1;
            if (received < 0 && LaneThread.IsCurrent)
            {
                SetLowMark((int)Math.Min(rest, LowMarkBytes));
                if (SocketVectors.Wait(socket, sends: false, Patience)) continue;
            }
            if (received < 0)
            {
                SetLowMark(1);
                received = await socket.ReceiveAsync(Window(CallBytes), cancellationToken).ConfigureAwait(false);
            }
            if (received == 0) throw new EndOfStreamException("the connection was closed in the middle of a frame");
            at = Advance(segments, at, received);
            rest -= received;
        }
        SetLowMark(1);
    }

    /// <summary>Takes bytes off the stream that nobody wants.</summary>
    public async ValueTask DiscardAsync(ulong bytes, CancellationToken cancellationToken)
    {
        var waste = GC.AllocateUninitializedArray<byte>((int)Math.Min(bytes, WaitBytes));
        for (; bytes > 0; bytes -= (ulong)Math.Min(bytes, (ulong)waste.Length))
            await ReceiveAsync(waste.AsMemory(0, (int)Math.Min(bytes, (ulong)waste.Length)), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The socket belongs to the caller.</summary>
    public void Dispose() => ((IDisposable)_window).Dispose();

    private void SetLowMark(int bytes)
    {
        if (bytes == _lowMark) return;
        SocketVectors.SetLowMark(socket, bytes);
        _lowMark = bytes;
    }

    private readonly record struct Position(int Index, int Offset);

    /// <summary>Fills <see cref="_vectors"/> with what comes next.</summary>
    private int Gather(Segments segments, Position at)
    {
        var count = 0;
        for (long bytes = 0; count < _vectors.Length && bytes < CallBytes && at.Index + count < segments.Count; count++)
        {
            var (address, length) = segments[at.Index + count];
            var skip = count == 0 ? at.Offset : 0;
            _vectors[count] = new(address + skip, (nuint)(length - skip));
            bytes += length - skip;
        }
        return count;
    }

    private Memory<byte> Window(int limit) => _window.Over(_vectors[0].Address, (int)Math.Min(_vectors[0].Length, (nuint)limit));

    private static Position Advance(Segments segments, Position at, int bytes)
    {
        var (index, offset) = at;
        offset += bytes;
        while (index < segments.Count && offset >= segments[index].Length) offset -= segments[index++].Length;
        return new(index, offset);
    }
}
