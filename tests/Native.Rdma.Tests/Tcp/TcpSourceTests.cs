using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.Native.Rdma.Tests.Tcp;

/// <summary>A source against readers that misbehave, and against its own restart.</summary>
public sealed class TcpSourceTests : IAsyncDisposable
{
    private const int Size = 8 << 20;

    private readonly RegionRegistry _regions = new();
    private readonly TestMemory _from = TestMemory.WithPattern(Size);
    private readonly GateGuard _guard = new();
    private readonly MemoryRegion _region;
    private readonly List<TcpTransport> _transports = [];

    public TcpSourceTests() => _region = _from.Export(_regions, _guard);

    public async ValueTask DisposeAsync()
    {
        _guard.Open();
        foreach (var transport in _transports) await transport.DisposeAsync();
        _from.Dispose();
    }

    private TcpTransport Transport(RegionRegistry regions, TcpTransportOptions? options = null)
    {
        _transports.Add(new(regions, options ?? new(), TimeProvider.System, NullLogger<TcpTransport>.Instance));
        return _transports[^1];
    }

    private static async Task<TcpClient> ConnectAsync(TransferPeer peer)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(peer.Address));
        return client;
    }

    private static byte[] Request(TransferPeer peer, RegionId region, ulong frame, params SourceRange[] ranges)
    {
        var bytes = new byte[TcpWire.RequestHeaderBytes + ranges.Length * TcpWire.RangeBytes];
        new RequestHeader(TcpOp.Read, ranges.Length, peer.Incarnation, region, Token: 7, frame).Write(bytes);
        for (var i = 0; i < ranges.Length; i++)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(40 + i * 16), ranges[i].Offset);
            BitConverter.TryWriteBytes(bytes.AsSpan(48 + i * 16), ranges[i].Length);
        }
        return bytes;
    }

    private static async Task<TransferCode> ReplyAsync(NetworkStream stream)
    {
        var reply = new byte[TcpWire.ReplyHeaderBytes];
        await stream.ReadExactlyAsync(reply);
        Assert.True(ReplyHeader.TryRead(reply, out var header));
        return header.Code;
    }

    [Fact]
    public async Task Garbage_is_answered_with_an_error_and_hung_up_on()
    {
        var source = Transport(_regions);
        using var client = await ConnectAsync(source.Listen());
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"u8.ToArray());
        Assert.Equal(TransferCode.BadRequest, await ReplyAsync(client.GetStream()));
        Assert.Equal(0, await ReadToEndAsync(client));
        Assert.Equal(0, _guard.Asked);
    }

    [Theory]
    [InlineData(5, 99)]    // operation
    [InlineData(4, 1)]     // version
    [InlineData(6, 0)]     // no ranges
    [InlineData(7, 0x40)]  // 16,385 ranges
    public async Task A_malformed_header_is_a_bad_request(int at, byte value)
    {
        var source = Transport(_regions);
        using var client = await ConnectAsync(source.Listen());
        var request = Request(source.Listen(), _region.Id, 1, new SourceRange(0, 8));
        request[at] = value;
        await client.GetStream().WriteAsync(request);
        Assert.Equal(TransferCode.BadRequest, await ReplyAsync(client.GetStream()));
    }

    [Fact]
    public async Task Typed_errors_leave_the_connection_usable()
    {
        var source = Transport(_regions);
        var peer = source.Listen();
        using var client = await ConnectAsync(peer);
        var stream = client.GetStream();
        await stream.WriteAsync(Request(peer, _region.Id, 1, new SourceRange(Size, 1)));
        Assert.Equal(TransferCode.OutOfRange, await ReplyAsync(stream));
        await stream.WriteAsync(Request(peer, _region.Id, 2, new SourceRange(ulong.MaxValue, 2), new SourceRange(0, 8)));
        Assert.Equal(TransferCode.OutOfRange, await ReplyAsync(stream));
        await stream.WriteAsync(Request(peer, _region.Id, 3, Enumerable.Repeat(new SourceRange(0, Size), 9).ToArray()));
        Assert.Equal(TransferCode.LimitExceeded, await ReplyAsync(stream));
        await stream.WriteAsync(Request(peer, _region.Id, 4, new SourceRange(0, ulong.MaxValue)));
        Assert.Equal(TransferCode.LimitExceeded, await ReplyAsync(stream));
        await stream.WriteAsync(Request(peer, _region.Id, 5, new SourceRange(8, 8)));
        Assert.Equal(TransferCode.Ok, await ReplyAsync(stream));
        var bytes = new byte[8];
        await stream.ReadExactlyAsync(bytes);
        Assert.Equal(_from.Span[8..16], bytes.AsSpan());
    }

    [Fact]
    public async Task A_reader_that_stops_reading_loses_its_pin_after_the_frame_deadline()
    {
        var source = Transport(_regions, new() { FrameTimeout = TimeSpan.FromMilliseconds(300) });
        var peer = source.Listen();
        using var client = await ConnectAsync(peer);
        await client.GetStream().WriteAsync(Request(peer, _region.Id, 1, new SourceRange(0, Size)));
        await _guard.AskedAsync(1);
        Assert.Equal(0, await _guard.PinsAsync(0));
        await _regions.UnregisterAsync(_region, default).WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_reader_cannot_keep_a_pin_by_staying_busy()
    {
        var source = Transport(_regions, new() { PinTimeout = TimeSpan.FromMilliseconds(300) });
        var peer = source.Listen();
        using var client = await ConnectAsync(peer);
        var stream = client.GetStream();
        var pin = Request(peer, _region.Id, 1, new SourceRange(0, Size));
        pin[5] = (byte)TcpOp.Pin;
        await stream.WriteAsync(pin);
        Assert.Equal(TransferCode.Ok, await ReplyAsync(stream));
        Assert.Equal(1, _region.Pins);
        var ping = new byte[TcpWire.RequestHeaderBytes];
        new RequestHeader(TcpOp.Ping, 0, 0, default, 0, FrameId: 2).Write(ping);
        var broken = await Record.ExceptionAsync(async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                await stream.WriteAsync(ping);
                await ReplyAsync(stream);
                await Task.Delay(20);
            }
        });
        Assert.IsAssignableFrom<IOException>(broken);
        Assert.Equal(0, await _guard.PinsAsync(0));
    }

    [Fact]
    public async Task Pins_are_counted_and_must_be_known_to_be_given_back()
    {
        var source = Transport(_regions);
        var peer = source.Listen();
        using var client = await ConnectAsync(peer);
        var stream = client.GetStream();
        for (ulong frame = 1; frame <= TcpWire.MaxPins + 1; frame++)
        {
            var pin = Request(peer, _region.Id, frame, new SourceRange(0, 8));
            pin[5] = (byte)TcpOp.Pin;
            await stream.WriteAsync(pin);
            Assert.Equal(frame <= TcpWire.MaxPins ? TransferCode.Ok : TransferCode.LimitExceeded, await ReplyAsync(stream));
        }
        Assert.Equal(TcpWire.MaxPins, await _guard.PinsAsync(TcpWire.MaxPins));
        var unpin = new byte[TcpWire.RequestHeaderBytes];
        foreach (var (pin, code) in new[] { (2ul, TransferCode.Ok), (2ul, TransferCode.BadRequest) })
        {
            new RequestHeader(TcpOp.Unpin, 0, 0, default, pin, FrameId: 99).Write(unpin);
            await stream.WriteAsync(unpin);
            Assert.Equal(code, await ReplyAsync(stream));
        }
        Assert.Equal(TcpWire.MaxPins - 1, await _guard.PinsAsync(TcpWire.MaxPins - 1));
        client.Close();
        Assert.Equal(0, await _guard.PinsAsync(0));
    }

    [Fact]
    public async Task A_reader_that_vanishes_in_mid_reply_leaves_no_pin_and_no_connection()
    {
        var source = Transport(_regions);
        var peer = source.Listen();
        using (var client = await ConnectAsync(peer))
        {
            await client.GetStream().WriteAsync(Request(peer, _region.Id, 1, new SourceRange(0, Size)));
            await client.GetStream().ReadExactlyAsync(new byte[1000]);
            client.Client.LingerState = new(true, 0); // a reset, as when the process dies
        }
        Assert.Equal(0, await _guard.PinsAsync(0));
        for (var i = 0; i < 1000 && source.ServedConnections > 0; i++) await Task.Delay(5);
        Assert.Equal(0, source.ServedConnections);
        Assert.Equal(0, _region.Pins);
    }

    [Fact]
    public async Task One_connection_too_many_is_told_so()
    {
        var source = Transport(_regions, new() { MaxServedConnections = 2 });
        var peer = source.Listen();
        using var first = await ConnectAsync(peer);
        using var second = await ConnectAsync(peer);
        for (var i = 0; i < 1000 && source.ServedConnections < 2; i++) await Task.Delay(5);

        using var to = new TestMemory(64);
        var regions = new RegionRegistry();
        var reader = Transport(regions);
        var range = new TransferRange { Remote = _region.Id, RemoteOffset = 0, Local = to.Register(regions).Id, LocalOffset = 0, Length = 8 };
        var error = await Assert.ThrowsAsync<TransferException>(() => reader.ReadAsync(peer, [range], token: 7, default));
        Assert.Equal(TransferCode.Busy, error.Code);

        first.Dispose();
        for (var i = 0; i < 1000 && source.ServedConnections > 1; i++) await Task.Delay(5);
        Assert.Equal(8, await reader.ReadAsync(peer, [range], token: 7, default));
    }

    [Fact]
    public async Task A_source_restarted_on_the_same_port_refuses_the_old_incarnation_and_serves_the_new_one()
    {
        var source = Transport(_regions);
        var old = source.Listen();
        var port = IPEndPoint.Parse(old.Address).Port;
        using var to = new TestMemory(64);
        var regions = new RegionRegistry();
        var reader = Transport(regions);
        var range = new TransferRange { Remote = _region.Id, RemoteOffset = 0, Local = to.Register(regions).Id, LocalOffset = 0, Length = 8 };
        Assert.Equal(8, await reader.ReadAsync(old, [range], token: 7, default));
        await source.DisposeAsync();

        var restarted = new RegionRegistry();
        using var content = TestMemory.WithPattern(64, seed: 2);
        Assert.Equal(_region.Id, content.Export(restarted).Id);
        var revived = Transport(restarted, new() { Port = port }).Listen();
        Assert.Equal(old.Address, revived.Address);

        var error = await Assert.ThrowsAsync<TransferException>(() => reader.ReadAsync(old, [range], token: 7, default));
        Assert.Equal(TransferCode.StaleRegion, error.Code);
        Assert.Equal(_from.Span[..8], to.Span[..8]);
        Assert.Equal(8, await reader.ReadAsync(revived, [range], token: 7, default));
        Assert.Equal(content.Span[..8], to.Span[..8]);
    }

    [Fact]
    public void A_taken_port_is_a_clear_error()
    {
        var port = IPEndPoint.Parse(Transport(_regions).Listen().Address).Port;
        var error = Assert.Throws<TransferException>(() => Transport(_regions, new() { Port = port }).Listen());
        Assert.Contains(port.ToString(System.Globalization.CultureInfo.InvariantCulture), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_bound_to_all_addresses_advertises_what_it_is_told()
    {
        var source = Transport(_regions, new() { BindAddress = IPAddress.Any, AdvertisedHost = "localhost" });
        var peer = source.Listen();
        Assert.StartsWith("localhost:", peer.Address, StringComparison.Ordinal);
        using var to = new TestMemory(64);
        var regions = new RegionRegistry();
        var range = new TransferRange { Remote = _region.Id, RemoteOffset = 0, Local = to.Register(regions).Id, LocalOffset = 0, Length = 8 };
        Assert.Equal(8, await Transport(regions).ReadAsync(peer, [range], token: 7, default));
    }

    private static async Task<int> ReadToEndAsync(TcpClient client)
    {
        try { return await client.GetStream().ReadAsync(new byte[1]); }
        catch (IOException) { return 0; }
    }
}
