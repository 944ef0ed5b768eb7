using System.Net.Sockets;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>Moves whole buffers and whole lists of ranges through a socket. One direction of one connection; not thread-safe.</summary>
internal sealed class SocketPump(Socket socket) : IDisposable
{
    private readonly NativeWindow _window = new();
    private byte[]? _staging;

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

    /// <summary>Sends native memory range by range; runs of small ranges are gathered first.</summary>
    public async ValueTask SendAsync(nint address, ArraySegment<SourceRange> ranges, CancellationToken cancellationToken)
    {
        for (var i = 0; i < ranges.Count;)
        {
            var run = SmallRun(ranges.AsSpan(i), static r => r.Length, out var bytes);
            if (run > 1)
            {
                Gather(address, ranges.AsSpan(i, run), Staging);
                await SendAsync(Staging.AsMemory(0, bytes), cancellationToken).ConfigureAwait(false);
                i += run;
            }
            else
            {
                var range = ranges[i++];
                await SendAsync(_window.Over(address + (nint)range.Offset, checked((int)range.Length)), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Receives straight into the destinations of a frame; runs of small ranges are scattered afterwards.</summary>
    public async ValueTask ReceiveAsync(ReadPlan plan, ReadFrame frame, CancellationToken cancellationToken)
    {
        for (int i = frame.Start, end = frame.Start + frame.Count; i < end;)
        {
            var run = SmallRun(plan.Slice(i, end - i), static r => r.Length, out var bytes);
            if (run > 1)
            {
                await ReceiveAsync(Staging.AsMemory(0, bytes), cancellationToken).ConfigureAwait(false);
                Scatter(Staging, plan.Slice(i, run));
                i += run;
            }
            else
            {
                var range = plan[i++];
                await ReceiveAsync(_window.Over(range.LocalAddress, checked((int)range.Length)), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The socket belongs to the caller.</summary>
    public void Dispose() => ((IDisposable)_window).Dispose();

    private byte[] Staging => _staging ??= GC.AllocateUninitializedArray<byte>(TcpWire.StagingBytes);

    /// <summary>Leading ranges that are small and fit into the staging buffer together.</summary>
    private static int SmallRun<T>(ReadOnlySpan<T> ranges, Func<T, ulong> length, out int bytes)
    {
        bytes = 0;
        for (var run = 0; run < ranges.Length; run++)
        {
            var next = length(ranges[run]);
            if (next > TcpWire.StagedRangeBytes || (ulong)bytes + next > TcpWire.StagingBytes) return run;
            bytes += (int)next;
        }
        return ranges.Length;
    }

    private static unsafe void Gather(nint address, ReadOnlySpan<SourceRange> ranges, Span<byte> to)
    {
        foreach (var range in ranges)
        {
            new ReadOnlySpan<byte>((byte*)address + range.Offset, (int)range.Length).CopyTo(to);
            to = to[(int)range.Length..];
        }
    }

    private static unsafe void Scatter(ReadOnlySpan<byte> from, ReadOnlySpan<PlannedRange> ranges)
    {
        foreach (var range in ranges)
        {
            from[..(int)range.Length].CopyTo(new Span<byte>((void*)range.LocalAddress, (int)range.Length));
            from = from[(int)range.Length..];
        }
    }
}
