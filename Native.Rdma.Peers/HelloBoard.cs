using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>
/// What an agent shows to everybody, and where it puts what others show: reading the other's board is how a connection is made and kept
/// alive. It proves who answers, not every way to the peer: on <c>auto</c> so small a read goes over TCP, and how a region is reached is
/// found out, and shown in <see cref="ITransport.Paths"/>, with the first larger transfer. A board is a mark, the incarnation, and a digest
/// of alias and instance.
/// </summary>
internal sealed class HelloBoard : IAsyncDisposable
{
    public const int Bytes = 64;
    private const ulong Mark = 0x4F4C4C45482D4E41;
    /// <summary>Reads at one time.</summary>
    private const int Slots = 64;

    private readonly ITransport _transport;
    private readonly IDisposable? _arena;
    private readonly nint _address;
    private readonly Channel<int> _free = Channel.CreateBounded<int>(Slots);

    public HelloBoard(ITransport transport)
    {
        _transport = transport;
        const int size = Bytes * (Slots + 1);
        // Such memory as the transport reaches: UCX before 1.16 no other than its own, mappings only what can be mapped.
        if (transport.Name == "ucx" && UcxArena.TryAllocate(size, out _) is { } ucx) (_arena, _address) = (ucx, ucx.Address);
        else if (transport.Name is "shm" or "auto" && SharedArena.TryAllocate(size) is { } shared) (_arena, _address) = (shared, shared.Address);
        else _address = Allocate(size);
        Shown = transport.Regions.Register("sys.hello", _address, Bytes, RegionAccess.PeersRead);
        Seen = transport.Regions.Register("sys.seen", _address + Bytes, Bytes * Slots, RegionAccess.Local);
        for (var i = 0; i < Slots; i++) _free.Writer.TryWrite(i);
    }

    public MemoryRegion Shown { get; }
    public MemoryRegion Seen { get; }

    public void Write(PeerRecord self) => Fill(At(_address), self);

    /// <summary>Reads the board of a peer; false when it is another one's.</summary>
    /// <exception cref="TransferException">The peer is not there, or refused.</exception>
    public async Task<bool> SeesAsync(PeerRecord peer, CancellationToken cancellationToken)
    {
        var slot = await _free.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            TransferRange range = new() { Remote = peer.Hello, RemoteOffset = 0, Local = Seen.Id, LocalOffset = (ulong)(slot * Bytes), Length = Bytes };
            await _transport.ReadAsync(peer.Peer, [range], token: 0, cancellationToken).ConfigureAwait(false);
            return Matches(slot, peer);
        }
        finally
        {
            _free.Writer.TryWrite(slot);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _transport.Regions.UnregisterAsync(Shown, CancellationToken.None).ConfigureAwait(false);
        await _transport.Regions.UnregisterAsync(Seen, CancellationToken.None).ConfigureAwait(false);
        if (_arena is null) Free(_address);
        else _arena.Dispose();
    }

    private bool Matches(int slot, PeerRecord peer)
    {
        Span<byte> expected = stackalloc byte[Bytes];
        Fill(expected, peer);
        return expected.SequenceEqual(At(_address + Bytes + (slot * Bytes)));
    }

    private static unsafe Span<byte> At(nint board) => new((void*)board, Bytes);

    private static unsafe nint Allocate(int size) => (nint)NativeMemory.AllocZeroed((nuint)size);

    private static unsafe void Free(nint memory) => NativeMemory.Free((void*)memory);

    private static void Fill(Span<byte> board, PeerRecord record)
    {
        board.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(board, Mark);
        BinaryPrimitives.WriteUInt64LittleEndian(board[8..], record.Peer.Incarnation);
        SHA256.HashData(Encoding.UTF8.GetBytes($"{record.Alias}\n{record.Instance}"), board[16..48]);
    }
}
