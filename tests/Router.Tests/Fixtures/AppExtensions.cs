using Microsoft.AspNetCore.Builder;

namespace NanoAspire.Router.Tests.Fixtures;

internal static class AppExtensions
{
    /// <summary>Stops within the time given; connections still open after it are cut.</summary>
    public static async Task StopWithinAsync(this WebApplication app, TimeSpan time)
    {
        using var limit = new CancellationTokenSource(time);
        try { await app.StopAsync(limit.Token); }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            // Cut.
        }
    }
}
