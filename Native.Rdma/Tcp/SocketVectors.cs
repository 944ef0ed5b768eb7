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
    private const short PollIn = 1, PollOut = 4;
    private const int SocketLevel = 1, ReceiveLowMark = 18;

    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <returns>Bytes sent; -1 when the socket takes none now.</returns>
    /// <exception cref="SocketException">The connection broke.</exception>
    public static int TrySend(Socket socket, ReadOnlySpan<IoVector> pieces) => Call(socket, pieces, sends: true);

    /// <returns>Bytes received, 0 at the end of the stream; -1 when there is nothing now.</returns>
    /// <exception cref="SocketException">The connection broke.</exception>
    public static int TryReceive(Socket socket, ReadOnlySpan<IoVector> pieces) => Call(socket, pieces, sends: false);

    /// <summary>Waits in the system until the socket can take or give bytes, or is broken.</summary>
    /// <returns>False when it was not within <paramref name="patience"/>.</returns>
    public static bool Wait(Socket socket, bool sends, TimeSpan patience)
    {
        var taken = false;
        try
        {
            socket.SafeHandle.DangerousAddRef(ref taken);
            var one = new PollEntry { Handle = (int)socket.SafeHandle.DangerousGetHandle(), Events = sends ? PollOut : PollIn };
            // An interrupted wait counts as over: the call after it tells.
            return poll(&one, 1, (int)patience.TotalMilliseconds) != 0;
        }
        finally
        {
            if (taken) socket.SafeHandle.DangerousRelease();
        }
    }

    /// <summary>Bytes that must lie in the socket before a wait for them ends.</summary>
    public static void SetLowMark(Socket socket, int bytes) =>
        socket.SetRawSocketOption(SocketLevel, ReceiveLowMark, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in bytes)));

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

    [LibraryImport("libc")]
    private static partial int poll(PollEntry* entries, nuint count, int milliseconds);

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Handle;
        public short Events;
        public short Happened;
    }

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
