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
                var delta = Render(choice, output, text);
                await _deltas.Writer.WriteAsync(delta, ct);
                if (delta.FinishReason is not null || delta.Error is not null) return;   // a stop string ends the choice before the engine does
            }
        }
    }

    private static ChoiceDelta Render(int choice, GenerationOutput output, ChoiceText text)
    {
        if (output.Finish is FinishReason.Error or FinishReason.Abort)
            return new(choice, "", null, Error: output.Error ?? "the engine stopped before the request was finished");
        var token = output.Token ?? throw new InvalidOperationException("an output without token must carry an error");
        // The token that stopped the sequence is counted and listed, but it is not part of the text.
        var (piece, stopped) = output.Finish == FinishReason.Stop ? ("", false) : text.Append(token.Id);
        if (!stopped && output.Finish is not null)
        {
            (var rest, stopped) = text.Flush();
            piece += rest;
        }
        var reason = stopped || output.Finish == FinishReason.Stop ? "stop" : output.Finish == FinishReason.Length ? "length" : null;
        return new(choice, piece, token, reason, CachedTokens: output.CachedTokens);
    }
}
