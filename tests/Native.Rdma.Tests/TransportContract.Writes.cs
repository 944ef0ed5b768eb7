using System.Buffers.Binary;
using NanoAspire.Native.Rdma.Loopback;

namespace NanoAspire.Native.Rdma.Tests;

public abstract partial class TransportContract
{
    private Task<long> WriteAsync(ulong token, WriteNotification? notification, params TransferRange[] ranges) =>
        Reader.WriteAsync(Source.Listen(), ranges, token, notification, TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    private async Task<TransferCode> FailToWriteAsync(ulong token, params TransferRange[] ranges) =>
        (await Assert.ThrowsAsync<TransferException>(() => WriteAsync(token, null, ranges))).Code;

    private async Task<T> Soon<T>(Task<T> task) => await task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_granted_write_lands_exactly_and_nothing_else_is_touched()
    {
        new Random(9).NextBytes(To.Span);
        var before = From.Span.ToArray();
        var token = Grants.Allow(0, Size);
        Assert.Equal(300_024, await WriteAsync(token, null, Range(remote: 16, local: 0, length: 8), Range(remote: 100, local: 64, length: 16), Range(remote: 4096, local: 8192, length: 300_000)));
        To.Span[..8].CopyTo(before.AsSpan(16));
        To.Span.Slice(64, 16).CopyTo(before.AsSpan(100));
        To.Span.Slice(8192, 300_000).CopyTo(before.AsSpan(4096));
        Assert.Equal(before, From.Span);
        await Grants.RevokeAsync(token, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Without_a_grant_nothing_is_written()
    {
        var before = From.Span.ToArray();
        To.Span.Fill(0xEE);
        Assert.Equal(TransferCode.TokenRefused, await FailToWriteAsync(token: 7, Range(0, 0, Size)));

        var token = Grants.Allow(4096, 4096);
        Assert.Equal(TransferCode.TokenRefused, await FailToWriteAsync(token, Range(4095, 0, 4096)));
        Assert.Equal(TransferCode.TokenRefused, await FailToWriteAsync(token, Range(4096, 0, 4097)));
        Assert.Equal(TransferCode.OutOfRange, await FailToWriteAsync(token, Range(Size - 1, 0, 2)));
        await Grants.RevokeAsync(token, TestContext.Current.CancellationToken);
        Assert.Equal(TransferCode.TokenRefused, await FailToWriteAsync(token, Range(4096, 0, 4096)));
        Assert.Equal(before, From.Span);

        using var secret = TestMemory.WithPattern(64);
        var readOnly = secret.Export(SourceRegions);
        Assert.Equal(TransferCode.UnknownRegion, await FailToWriteAsync(token, Range(0, 0, 8) with { Remote = readOnly.Id }));
        await SourceRegions.UnregisterAsync(readOnly, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_notification_comes_once_and_its_data_is_there()
    {
        var token = Grants.Allow(0, Size);
        const int Writes = 64;
        const int Bytes = 16 << 10;
        for (var i = 0; i < Writes; i++) To.Span.Slice(i * Bytes, Bytes).Fill((byte)(i + 1));
        var writing = Task.WhenAll(Enumerable.Range(0, Writes).Select(i =>
            WriteAsync(token, new(Remote.Id, (ulong)i), Range((ulong)(i * Bytes), (ulong)(i * Bytes), Bytes))));
        HashSet<ulong> seen = [];
        for (var i = 0; i < Writes; i++)
        {
            var notification = await Soon(SourceRegions.Inbox.ReceiveNotificationAsync(TestContext.Current.CancellationToken).AsTask());
            Assert.Equal((Remote.Id, token), (notification.Region, notification.Token));
            Assert.True(seen.Add(notification.Value));
            Assert.False(From.Span.Slice((int)notification.Value * Bytes, Bytes).ContainsAnyExcept((byte)(notification.Value + 1)));
        }
        await Soon(writing);
        await WriteAsync(token, new(Remote.Id, 99)); // no data at all
        Assert.Equal(99ul, (await Soon(SourceRegions.Inbox.ReceiveNotificationAsync(TestContext.Current.CancellationToken).AsTask())).Value);
    }

    [Fact]
    public async Task A_notification_needs_the_grant_as_well()
    {
        var error = await Assert.ThrowsAsync<TransferException>(() => WriteAsync(token: 7, new(Remote.Id, 1)));
        Assert.Equal(TransferCode.TokenRefused, error.Code);
    }

    [Fact]
    public async Task Revoking_waits_for_the_writer()
    {
        var token = Grants.Allow(0, 8);
        var pin = ((IWriteGuard)Grants).TryGrant(token, [new(0, 8)])!;
        var revoking = Grants.RevokeAsync(token, TestContext.Current.CancellationToken);
        Assert.Null(((IWriteGuard)Grants).TryGrant(token, [new(0, 8)]));
        Assert.False(revoking.IsCompleted);
        pin.Dispose();
        await revoking.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Messages_of_one_tag_come_in_the_order_in_which_they_were_sent()
    {
        var peer = Source.Listen();
        var messages = Enumerable.Range(0, 200).Select(i =>
        {
            var message = new byte[i % 7 == 0 ? 100_000 : 4 + i % 50];
            BinaryPrimitives.WriteInt32LittleEndian(message, i);
            return message;
        }).ToArray();
        var sending = messages.Select((m, i) => Reader.SendAsync(peer, tag: (ulong)(i % 2), m, TestContext.Current.CancellationToken)).ToArray();
        for (var i = 0; i < messages.Length; i += 2) Assert.Equal(messages[i], (await Soon(SourceRegions.Inbox.ReceiveAsync(0, TestContext.Current.CancellationToken))).ToArray());
        for (var i = 1; i < messages.Length; i += 2) Assert.Equal(messages[i], (await Soon(SourceRegions.Inbox.ReceiveAsync(1, TestContext.Current.CancellationToken))).ToArray());
        await Task.WhenAll(sending).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_receiver_can_wait_first_and_can_give_up()
    {
        using var cancel = new CancellationTokenSource();
        var given = SourceRegions.Inbox.ReceiveAsync(5, cancel.Token);
        var kept = SourceRegions.Inbox.ReceiveAsync(5, TestContext.Current.CancellationToken);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        await Reader.SendAsync(Source.Listen(), 5, "x"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal("x"u8.ToArray(), (await Soon(kept)).ToArray());
    }

    [Fact]
    public async Task A_flush_waits_for_what_was_submitted_before()
    {
        var peer = Source.Listen();
        var token = Grants.Allow(0, Size);
        To.Span.Fill(0x5A);
        var writes = Enumerable.Range(0, 16).Select(i => WriteAsync(token, null, Range((ulong)i << 16, (ulong)i << 16, 1 << 16))).ToArray();
        var messages = Enumerable.Range(0, 16).Select(_ => Reader.SendAsync(peer, 3, new byte[8], TestContext.Current.CancellationToken)).ToArray();
        await Reader.FlushAsync(peer, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.False(From.Span.ContainsAnyExcept((byte)0x5A));
        await Task.WhenAll([.. writes, .. messages]).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_message_to_an_earlier_run_or_of_too_many_bytes_is_refused()
    {
        var old = Source.Listen() with { Incarnation = SourceRegions.Incarnation + 2 };
        Assert.Equal(TransferCode.StaleRegion, (await Assert.ThrowsAsync<TransferException>(() => Reader.SendAsync(old, 1, new byte[1], TestContext.Current.CancellationToken))).Code);
        var large = new byte[TransferInbox.MaxMessageBytes + 1];
        Assert.Equal(TransferCode.LimitExceeded, (await Assert.ThrowsAsync<TransferException>(() => Reader.SendAsync(Source.Listen(), 1, large, TestContext.Current.CancellationToken))).Code);
    }

    [Fact]
    public async Task Writes_that_are_cancelled_leave_no_grant_in_use()
    {
        using var cancel = new CancellationTokenSource();
        var token = Grants.Allow(0, Size);
        var writing = Enumerable.Range(0, 20).Select(_ => Reader.WriteAsync(Source.Listen(), [Range(0, 0, Size)], token, null, cancel.Token)).ToArray();
        await cancel.CancelAsync();
        foreach (var write in writing)
        {
            try { await write.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken); }
            catch (OperationCanceledException) when (write.IsCompleted) { }
        }
        await Grants.RevokeAsync(token, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(0, Local.Pins);
        var before = From.Span.ToArray();
        To.Span.Fill(0x11);
        Assert.Equal(before, From.Span);
        Assert.True(Reader is LoopbackTransport || await ReadAsync(Range(0, 0, 8)) == 8);
    }
}
