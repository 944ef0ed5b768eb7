namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>Waits for what happens in the background. The limit is generous: it bounds a failing test, it measures nothing.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static Task Async(Func<bool> condition) => Async(condition, Limit);

    public static async Task Async(Func<bool> condition, TimeSpan limitTime)
    {
        using var limit = new CancellationTokenSource(limitTime);
        while (!condition())
        {
            if (limit.IsCancellationRequested) Assert.Fail("The expected did not happen in time.");
            await Task.Delay(10, CancellationToken.None);
        }
    }
}
