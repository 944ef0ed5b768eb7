namespace NanoAspire.Router.Nodes;

/// <summary>How fast an engine gets through prompts, as an exponentially weighted mean of what was seen (half-life: about five prompts).</summary>
internal sealed class PromptSpeed(TimeProvider time)
{
    private const double Weight = 0.13;
    private double _bytesPerSecond;

    /// <summary>Prompt bytes a second; null until a prompt has been measured.</summary>
    public double? BytesPerSecond => Volatile.Read(ref _bytesPerSecond) is > 0 and var speed ? speed : null;

    public long Start() => time.GetTimestamp();

    /// <param name="promptBytes">Bytes that were waiting or worked on at the engine when the request joined, its own included.</param>
    /// <param name="started">From <see cref="Start"/>.</param>
    public void Record(long promptBytes, long started)
    {
        var seconds = Math.Max(time.GetElapsedTime(started).TotalSeconds, 1e-6);
        var seen = Math.Max(promptBytes, 1) / seconds;
        double old, updated;
        do
        {
            old = Volatile.Read(ref _bytesPerSecond);
            updated = old == 0 ? seen : old + Weight * (seen - old);
        }
        while (Interlocked.CompareExchange(ref _bytesPerSecond, updated, old) != old);
    }
}
