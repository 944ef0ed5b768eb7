using NanoAspire.Engine.Caching;

namespace NanoAspire.Engine.Scheduling;

/// <summary>Blocks and a slot for a prompt whose KV somebody else will write.</summary>
internal sealed class Reservation(List<int> prompt, BlockTable table, IReadOnlyList<PromptImage> images) : Claim(prompt, table, images)
{
    private readonly TaskCompletionSource<KvReservation> _granted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Leading blocks that already hold the prompt's KV.</summary>
    public int CachedBlocks { get; set; }
    public Task<KvReservation> Granted => _granted.Task;
    public override bool IsUnwanted => _granted.Task.IsCanceled;

    /// <summary>False: the caller no longer waits, the blocks go back.</summary>
    public bool TryGrant(KvReservation reservation) => _granted.TrySetResult(reservation);
    /// <summary>True when it was still waiting.</summary>
    public bool Cancel(CancellationToken cancellationToken) => _granted.TrySetCanceled(cancellationToken);
    public override void Fail(string error) => _granted.TrySetException(new EngineRejectedException(EngineRejectedException.Unhealthy, error));
}
