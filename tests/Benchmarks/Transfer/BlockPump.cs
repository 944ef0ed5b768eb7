using System.Net.Sockets;
using System.Runtime.InteropServices;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Benchmarks.Transfer;

/// <summary>Blocks, scattered in memory, through a bare blocking socket: many a call to the system, and nothing else.</summary>
internal static unsafe partial class BlockPump
{
    private const int CallBytes = 1 << 20, MaxPieces = 1024;

    /// <exception cref="IOException">The connection broke.</exception>
    public static void Move(Socket socket, nint memory, ReadOnlySpan<long> blocks, long block, bool sends)
    {
        var handle = (int)socket.Handle;
        var pieces = stackalloc IoVector[MaxPieces];
        var skip = 0L;
        for (var at = 0; at < blocks.Length;)
        {
            var count = 0;
            for (var bytes = 0L; count < MaxPieces && bytes < CallBytes && at + count < blocks.Length; count++)
            {
                var done = count == 0 ? skip : 0;
                pieces[count] = new(memory + (nint)(blocks[at + count] * block + done), (nuint)(block - done));
                bytes += block - done;
            }
            var moved = sends ? writev(handle, pieces, count) : readv(handle, pieces, count);
            if (moved <= 0) throw new IOException("the connection of the socket pump broke");
            skip += moved;
            at += (int)(skip / block);
            skip %= block;
        }
    }

    [LibraryImport("libc")]
    private static partial nint writev(int handle, IoVector* pieces, int count);

    [LibraryImport("libc")]
    private static partial nint readv(int handle, IoVector* pieces, int count);
}
