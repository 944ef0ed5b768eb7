using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>
/// One system call for many pieces of memory, without waiting: sockets of the runtime take lists of managed arrays only.
/// Linux; elsewhere <see cref="IsSupported"/> is false and pieces go one by one.
/// </summary>
internal static unsafe partial class SocketVectors
{
    /// <summary>Pieces in one call; the system takes 1,024.</summary>
    public const int MaxPieces = 64;
    private const int DontWait = 0x40, NoSignal = 0x4000;
    private const int TryAgain = 11, Interrupted = 4;

    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <returns>Bytes sent; -1 when the socket takes none now.</returns>
    /// <exception cref="SocketException">The connection broke.</exception>
    public static int TrySend(Socket socket, ReadOnlySpan<IoVector> pieces) => Call(socket, pieces, sends: true);

    /// <returns>Bytes received, 0 at the end of the stream; -1 when there is nothing now.</returns>
    /// <exception cref="SocketException">The connection broke.</exception>
    public static int TryReceive(Socket socket, ReadOnlySpan<IoVector> pieces) => Call(socket, pieces, sends: false);

    private static int Call(Socket socket, ReadOnlySpan<IoVector> pieces, bool sends)
    {
        fixed (IoVector* first = pieces)
        {
            var message = new MessageHeader { Vectors = (nint)first, VectorCount = (nuint)pieces.Length };
            while (true)
            {
                var moved = sends ? sendmsg(socket.SafeHandle, &message, DontWait | NoSignal) : recvmsg(socket.SafeHandle, &message, DontWait);
                if (moved >= 0) return (int)moved;
                var error = Marshal.GetLastPInvokeError();
                if (error == TryAgain) return -1;
                if (error != Interrupted) throw new SocketException(error, Marshal.GetPInvokeErrorMessage(error));
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(SafeHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(SafeHandle socket, MessageHeader* message, int flags);

    /// <summary><c>struct msghdr</c> of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 56)]
    private struct MessageHeader
    {
        [FieldOffset(16)] public nint Vectors;
        [FieldOffset(24)] public nuint VectorCount;
    }
}

/// <summary><c>struct iovec</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct IoVector(nint Address, nuint Length);
