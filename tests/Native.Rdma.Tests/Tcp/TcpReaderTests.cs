using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine.Transfer.Tests;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Tests.Tcp;

/// <summary>A reader against peers that misbehave.</summary>
public sealed class TcpReaderTests : IAsyncDisposable
{
    private const int Size = 100_000;

    private readonly RegionRegistry _regions = new();
    private readonly TestMemory _to = new(Size);
    private readonly TransferRange _range;
    private readonly TcpTransport _reader;
    /// <summary>For peers that must be given up; whatever must succeed is not read by it.</summary>
    private readonly TcpTransport _impatient;

    public TcpReaderTests()
    {
        _range = new() { Remote = new(0, 1), RemoteOffset = 0, Local = _to.Register(_regions).Id, LocalOffset = 0, Length = Size };
        _reader = Transport(new() { FrameTimeout = TimeSpan.FromSeconds(30), ConnectTimeout = TimeSpan.FromSeconds(30) }, TimeProvider.System);
        _impatient = Transport(new() { FrameTimeout = TimeSpan.FromMilliseconds(300) }, TimeProvider.System);
    }

    private TcpTransport Transport(TcpTransportOptions options, TimeProvider time) => new(_regions, options, time, NullLogger<TcpTransport>.Instance);

    public async ValueTask DisposeAsync()
    {
        await _reader.DisposeAsync();
        await _impatient.DisposeAsync();
        _to.Dispose();
    }

    private async Task<TransferCode> FailAsync(TransferPeer peer, TcpTransport? reader = null) =>
        (await Assert.ThrowsAsync<TransferException>(() => (reader ?? _reader).ReadAsync(peer, [_range], token: 0, default).WaitAsync(TimeSpan.FromSeconds(60)))).Code;

    [Fact]
    public async Task Garbage_instead_of_a_reply_is_a_protocol_error()
    {
        await using var fake = new FakePeer(async (stream, _) => await stream.WriteAsync("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"u8.ToArray()));
        Assert.Equal(TransferCode.Protocol, await FailAsync(fake.Peer));
        Assert.False(_to.Span.ContainsAnyExcept((byte)0));
        Assert.Equal(0, _reader.IdleConnections);
    }

    [Fact]
    public async Task A_reply_cut_short_by_a_close_is_a_lost_peer()
    {
        await using var fake = new FakePeer(async (stream, request) =>
        {
            await stream.WriteAsync(FakePeer.Reply(FakePeer.FrameId(request), Size));
            await stream.WriteAsync(new byte[Size / 2]);
            stream.Socket.Close();
        });
        Assert.Equal(TransferCode.PeerLost, await FailAsync(fake.Peer));
        Assert.Equal(0, _reader.IdleConnections);
    }

    [Fact]
    public async Task A_reply_that_stops_half_way_times_out_and_nothing_late_is_written()
    {
        var late = new TaskCompletionSource();
        await using var fake = new FakePeer(async (stream, request) =>
        {
            await stream.WriteAsync(FakePeer.Reply(FakePeer.FrameId(request), Size));
            await stream.WriteAsync(new byte[Size / 2]);
            await late.Task;
            await stream.WriteAsync(Enumerable.Repeat((byte)0xAB, Size / 2).ToArray());
        });
        Assert.Equal(TransferCode.Timeout, await FailAsync(fake.Peer, _impatient));
        _to.Span.Fill(0x11);
        late.SetResult();
        await Task.Delay(100);
        Assert.False(_to.Span.ContainsAnyExcept((byte)0x11));
    }

    [Fact]
    public async Task Silence_times_out()
    {
        await using var fake = new FakePeer((_, _) => Task.CompletedTask);
        Assert.Equal(TransferCode.Timeout, await FailAsync(fake.Peer, _impatient));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(0, -1)]
    public async Task A_reply_to_something_else_is_a_protocol_error(int frameSkew, int lengthSkew)
    {
        await using var fake = new FakePeer(async (stream, request) =>
        {
            await stream.WriteAsync(FakePeer.Reply(FakePeer.FrameId(request) + (ulong)frameSkew, (ulong)(Size + lengthSkew)));
            await stream.WriteAsync(new byte[Size + lengthSkew]);
        });
        Assert.Equal(TransferCode.Protocol, await FailAsync(fake.Peer));
    }

    [Fact]
    public async Task An_unknown_reply_code_is_an_error_that_shows_it()
    {
        await using var fake = new FakePeer(async (stream, request) => await stream.WriteAsync(FakePeer.Reply(FakePeer.FrameId(request), 0, code: 33)));
        Assert.Equal((TransferCode)33, await FailAsync(fake.Peer));
    }

    [Fact]
    public async Task A_refused_connection_is_a_lost_peer()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var nobody = listener.LocalEndpoint.ToString()!;
        listener.Stop();
        Assert.Equal(TransferCode.PeerLost, await FailAsync(new(nobody, 1)));
    }

    [Theory, InlineData(""), InlineData("nonsense"), InlineData("127.0.0.1"), InlineData("127.0.0.1:0"), InlineData("host:99999")]
    public async Task An_address_that_is_none_is_a_lost_peer(string address) => Assert.Equal(TransferCode.PeerLost, await FailAsync(new(address, 1)));

    [Fact]
    public async Task A_failed_connection_is_replaced_by_the_next_read()
    {
        var healthy = false;
        await using var fake = new FakePeer(async (stream, request) =>
        {
            if (!healthy)
            {
                stream.Socket.Close();
                return;
            }
            await stream.WriteAsync(FakePeer.Reply(FakePeer.FrameId(request), Size));
            await stream.WriteAsync(Enumerable.Repeat((byte)9, Size).ToArray());
        });
        Assert.Equal(TransferCode.PeerLost, await FailAsync(fake.Peer));
        healthy = true;
        Assert.Equal(Size, await _reader.ReadAsync(fake.Peer, [_range], token: 0, default));
        Assert.Equal(Size, await _reader.ReadAsync(fake.Peer, [_range], token: 0, default));
        Assert.Equal(2, fake.Connections);
        Assert.False(_to.Span.ContainsAnyExcept((byte)9));
    }

    [Fact]
    public async Task An_idle_connection_that_went_silent_is_found_by_ping_and_replaced()
    {
        var first = true;
        var pinged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var fake = new FakePeer(async (stream, request) =>
        {
            if (request[5] == 2)
            {
                pinged.TrySetResult(); // and no answer: the machine behind this connection is gone
                return;
            }
            await stream.WriteAsync(FakePeer.Reply(FakePeer.FrameId(request), Size));
            await stream.WriteAsync(Enumerable.Repeat(first ? (byte)1 : (byte)2, Size).ToArray());
            first = false;
        });
        var time = new ManualTime();
        var options = new TcpTransportOptions();
        await using var reader = Transport(options, time);
        await reader.ReadAsync(fake.Peer, [_range], token: 0, default).WaitAsync(TimeSpan.FromSeconds(30));
        time.Advance(options.PingAfter);
        var second = reader.ReadAsync(fake.Peer, [_range], token: 0, default);
        await pinged.Task.WaitAsync(TimeSpan.FromSeconds(30));
        time.Advance(options.FrameTimeout);
        await second.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(2, fake.Connections);
        Assert.False(_to.Span.ContainsAnyExcept((byte)2));
    }
}
