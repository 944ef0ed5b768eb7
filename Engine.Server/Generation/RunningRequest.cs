using System.Threading.Channels;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>All choices of a request as one stream of deltas. Disposing it aborts whatever still runs.</summary>
internal sealed class RunningRequest : IAsyncDisposable
{
    /// <summary>Deltas that a slow client may lag behind before its own choices wait; the engine never waits for it.</summary>
    private const int Capacity = 256;

    private readonly Channel<ChoiceDelta> _deltas = Channel.CreateBounded<ChoiceDelta>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly CancellationTokenSource _stop;
    private readonly Task _pumps;

    public RunningRequest(IReadOnlyList<int[]> prompts, IReadOnlyList<(GenerationHandle Handle, ChoiceText Text)> choices, CancellationToken cancellationToken)
    {
        Prompts = prompts;
        ChoiceCount = choices.Count;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _pumps = PumpAllAsync([.. choices.Select((choice, index) => PumpAsync(index, choice.Handle, choice.Text, _stop.Token))]);
    }

    public IReadOnlyList<int[]> Prompts { get; }
    public int ChoiceCount { get; }

    /// <summary>Completes when every choice has ended.</summary>
    public ChannelReader<ChoiceDelta> Deltas => _deltas.Reader;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _pumps;
        _stop.Dispose();
    }

    private async Task PumpAllAsync(Task[] pumps)
    {
        try { await Task.WhenAll(pumps); }
        catch (OperationCanceledException) { /* the client left or the request was disposed; the handles are already aborted */ }
        finally { _deltas.Writer.TryComplete(); }
    }

    private async Task PumpAsync(int choice, GenerationHandle handle, ChoiceText text, CancellationToken ct)
    {
        using (handle)
        {
            await foreach (var output in handle.Outputs.ReadAllAsync(ct))
            {
                var delta = text.Render(choice, output);
                await _deltas.Writer.WriteAsync(delta, ct);
                if (delta.FinishReason is not null || delta.Error is not null) return;   // a stop string, or the only call allowed, ends the choice before the engine does
            }
        }
    }
}
