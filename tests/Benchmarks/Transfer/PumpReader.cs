using System.Net;
using System.Net.Sockets;

namespace NanoAspire.Benchmarks.Transfer;

/// <summary>Blocking sockets, one thread each at either end, for the same blocks in the same order: the least that moving them through sockets can cost.</summary>
internal sealed class PumpReader : IDisposable
{
    private readonly Socket[] _sockets;

    public PumpReader(int port, int count)
    {
        _sockets = [.. Enumerable.Range(0, count).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true })];
        foreach (var socket in _sockets) socket.Connect(IPAddress.Loopback, port);
    }

    /// <summary>All blocks of the source, each to where <paramref name="destination"/> says; every socket takes its share.</summary>
    public void Receive(nint to, long[] destination, long block) => Task.WaitAll(_sockets.Select((socket, i) => Task.Factory.StartNew(() =>
    {
        var first = (int)((long)destination.Length * i / _sockets.Length);
        var end = (int)((long)destination.Length * (i + 1) / _sockets.Length);
        socket.Send([.. BitConverter.GetBytes((long)first), .. BitConverter.GetBytes((long)(end - first))]);
        BlockPump.Move(socket, to, destination.AsSpan(first, end - first), block, sends: false);
    }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray());

    public void Dispose()
    {
        foreach (var socket in _sockets) socket.Dispose();
    }
}
