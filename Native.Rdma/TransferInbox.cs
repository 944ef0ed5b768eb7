using System.Threading.Channels;

namespace NanoAspire.Native.Rdma;

/// <summary>What peers sent to this process and nobody has taken yet: bounded, so that a sender waits for a slow receiver. Thread-safe.</summary>
public sealed class TransferInbox
{
    /// <summary>Of one message.</summary>
    public const int MaxMessageBytes = 4 << 20;
    /// <summary>Messages and notifications that wait, each.</summary>
    public const int Capacity = 1024;
    /// <summary>Bytes of all messages that wait.</summary>
    public const long MaxBytes = 64 << 20;

    private readonly Channel<TransferNotification> _notifications = Channel.CreateBounded<TransferNotification>(Capacity);
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Queue<byte[]>> _messages = [];
    private readonly Dictionary<ulong, LinkedList<TaskCompletionSource<ReadOnlyMemory<byte>>>> _receivers = [];
    private int _count;
    private long _bytes;
    private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <exception cref="TransferException">A message of so many bytes is never taken.</exception>
    internal static void ThrowIfTooLong(int bytes)
    {
        if (bytes > MaxMessageBytes) throw new TransferException(TransferCode.LimitExceeded, $"a message of {bytes} bytes; one takes {MaxMessageBytes}");
    }

    /// <summary>The next notification, in the order of arrival; each goes to one receiver.</summary>
    public ValueTask<TransferNotification> ReceiveNotificationAsync(CancellationToken cancellationToken) => _notifications.Reader.ReadAsync(cancellationToken);

    /// <summary>The next message with this tag; those of one sender come in the order in which they were sent, each to one receiver.</summary>
    public async Task<ReadOnlyMemory<byte>> ReceiveAsync(ulong tag, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TaskCompletionSource<ReadOnlyMemory<byte>> receiver;
        lock (_gate)
        {
            if (TryTake(tag) is { } message) return message;
            receiver = new(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_receivers.TryGetValue(tag, out var waiting)) _receivers[tag] = waiting = new();
            waiting.AddLast(receiver);
        }
        using var registration = cancellationToken.Register(() => Forget(tag, receiver, cancellationToken));
        return await receiver.Task.ConfigureAwait(false);
    }

    /// <summary>Waits for room.</summary>
    internal ValueTask PostAsync(TransferNotification notification, CancellationToken cancellationToken) => _notifications.Writer.WriteAsync(notification, cancellationToken);

    /// <summary>Hands a message over, which the caller keeps no hold of; waits for room.</summary>
    internal async Task PostAsync(ulong tag, byte[] message, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task room;
            lock (_gate)
            {
                if (_receivers.TryGetValue(tag, out var waiting))
                {
                    var receiver = waiting.First!.Value;
                    Remove(tag, waiting, receiver);
                    receiver.SetResult(message);
                    return;
                }
                if (_count < Capacity && _bytes + message.Length <= MaxBytes)
                {
                    if (!_messages.TryGetValue(tag, out var queue)) _messages[tag] = queue = new();
                    queue.Enqueue(message);
                    (_count, _bytes) = (_count + 1, _bytes + message.Length);
                    return;
                }
                room = _room.Task;
            }
            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private byte[]? TryTake(ulong tag)
    {
        if (!_messages.TryGetValue(tag, out var queue)) return null;
        var message = queue.Dequeue();
        if (queue.Count == 0) _messages.Remove(tag);
        (_count, _bytes) = (_count - 1, _bytes - message.Length);
        _room.TrySetResult();
        _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return message;
    }

    private void Forget(ulong tag, TaskCompletionSource<ReadOnlyMemory<byte>> receiver, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_receivers.TryGetValue(tag, out var waiting) || !Remove(tag, waiting, receiver)) return; // it has its message
        }
        receiver.TrySetCanceled(cancellationToken);
    }

    private bool Remove(ulong tag, LinkedList<TaskCompletionSource<ReadOnlyMemory<byte>>> waiting, TaskCompletionSource<ReadOnlyMemory<byte>> receiver)
    {
        var removed = waiting.Remove(receiver);
        if (waiting.Count == 0) _receivers.Remove(tag);
        return removed;
    }
}
