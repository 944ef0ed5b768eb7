using NanoAspire.Native.Rdma;

namespace NanoAspire.TransferPeer;

/// <summary>Answers each line of stdin with one line of stdout, the code where a transfer fails, until stdin ends.</summary>
internal static class CommandLoop
{
    /// <param name="answer">Of the words of a line.</param>
    /// <param name="own">What only this process counts, beside what all do.</param>
    public static async Task<int> RunAsync(Func<string[], Task<object>> answer, Func<(string, long)[]> own)
    {
        using var connections = new ConnectionCounter();
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            try
            {
                Console.WriteLine(words[0] == "resources" ? ProcessResources.Take(collect: words[1] == "collected", [.. connections.Counts, .. Registered, .. own()]) : await answer(words));
            }
            catch (TransferException e)
            {
                Console.WriteLine(e.Code);
            }
        }
        return 0;
    }

    private static (string, long)[] Registered => [("regions", RegionRegistry.Process.Count), ("pins", RegionRegistry.Process.Pins)];
}
