using NanoAspire.EndToEnd.AppHost;

namespace NanoAspire.EndToEnd.Browser;

/// <summary>Clients that keep a cluster busy: short questions with a common beginning, and now and then a long streamed answer.</summary>
internal static class Traffic
{
    private static readonly string[] Questions = ["What is prefill?", "What is decode?", "What is a KV cache?", "Tell me a long story."];

    /// <summary>Long enough for whole blocks of it to be found again.</summary>
    private static readonly string Beginning = string.Concat(Enumerable.Repeat("A prompt is read once, and what was read is kept. ", 12));

    public static async Task RunAsync(TestedCluster cluster, int client, CancellationToken ct)
    {
        for (var n = client; !ct.IsCancellationRequested; n++)
        {
            if (n % 4 != 3)
            {
                await cluster.AskAsync(n % 4 == 1 ? Beginning + Questions[1] : Questions[n % Questions.Length]);
                continue;
            }
            using var stream = await cluster.StreamAsync(tokens: 200);
            await stream.ReadToEndAsync(CancellationToken.None);
        }
    }
}
