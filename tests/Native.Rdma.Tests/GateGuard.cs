namespace NanoAspire.Native.Rdma.Tests;

/// <summary>A guard that records what it is asked and can hold readers up until it is opened.</summary>
internal sealed class GateGuard : IReadGuard, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualResetEventSlim _open = new(initialState: true);
    private int _asked;
    private int _pins;

    public bool Refuses { get; set; }
    public ulong Token { get; private set; }
    public SourceRange[] Ranges { get; private set; } = [];
    public int Asked => Volatile.Read(ref _asked);

    public void Open() => _open.Set();
    public void Close() => _open.Reset();

    public IDisposable? TryPin(ulong token, ReadOnlySpan<SourceRange> ranges)
    {
        Token = token;
        Ranges = ranges.ToArray();
        Interlocked.Increment(ref _asked);
        if (Refuses) return null;
        Assert.True(_open.Wait(Patience));
        Interlocked.Increment(ref _pins);
        return this;
    }

    public async Task AskedAsync(int times) => await Until(() => Asked >= times);

    /// <summary>The pins held, once they are <paramref name="expected"/> or patience is over.</summary>
    public async Task<int> PinsAsync(int expected)
    {
        await Until(() => Volatile.Read(ref _pins) == expected);
        return Volatile.Read(ref _pins);
    }

    public void Dispose() => Interlocked.Decrement(ref _pins);

    private static async Task Until(Func<bool> condition)
    {
        for (var waited = TimeSpan.Zero; !condition() && waited < Patience; waited += TimeSpan.FromMilliseconds(5)) await Task.Delay(5);
    }
}
