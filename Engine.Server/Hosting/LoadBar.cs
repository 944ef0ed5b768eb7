using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Server.Hosting;

/// <summary>Progress for people: one line of a terminal, drawn over itself and taken away at the end.</summary>
internal sealed class LoadBar(TextWriter terminal, TimeProvider time) : IProgress<LoadProgress>
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private const int Cells = 30;

    private long? _last;
    private int _width;

    /// <summary>A bar on standard error where that is a terminal; null where it is not.</summary>
    public static LoadBar? OnTerminal(TimeProvider time) => Console.IsErrorRedirected ? null : new(Console.Error, time);

    public void Report(LoadProgress value)
    {
        if (value.BytesRead >= value.TotalBytes) Draw("");
        else if (_last is not { } last || time.GetElapsedTime(last) >= Interval)
        {
            _last = time.GetTimestamp();
            var filled = (int)(Cells * value.Share);
            Draw($"Loading weights [{new string('#', filled)}{new string('.', Cells - filled)}] {100 * value.Share,3:F0}% of {value.TotalBytes / (double)(1L << 30):F1} GiB");
        }
    }

    private void Draw(string line)
    {
        if (line.Length == 0 && _width == 0) return;                        // nothing was drawn
        terminal.Write($"\r{line.PadRight(_width)}{(line.Length == 0 ? "\r" : "")}");
        terminal.Flush();
        _width = line.Length;
    }
}
