namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>Waits for what happens in the background. The limit is generous: it bounds a failing test, it measures nothing.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    public static async Task Async(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!condition())
        {
            if (limit.IsCancellationRequested) Assert.Fail("The expected did not happen in time.");
            await Task.Delay(10, CancellationToken.None);
        }
    }
}
