using NanoAspire.Dashboard.Metrics;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>The stretch of time that a page of metrics shows, ending now.</summary>
internal sealed class TimeWindow
{
    public const int Bins = 60;
    private const string Default = "5m";

    private static readonly (string Value, string Text, TimeSpan Length)[] Choices =
    [
        ("1m", "Last minute", TimeSpan.FromMinutes(1)), ("5m", "Last 5 minutes", TimeSpan.FromMinutes(5)),
        ("15m", "Last 15 minutes", TimeSpan.FromMinutes(15)), ("1h", "Last hour", TimeSpan.FromHours(1)),
    ];

    public TimeWindow(DashboardContext context, PageRequest request)
    {
        var choice = Choices.FirstOrDefault(candidate => candidate.Value == request["duration"]);
        if (choice.Value is null) choice = Choices.Single(candidate => candidate.Value == Default);
        Name = choice.Value;
        Length = choice.Length;
        // Edges stand at whole multiples of a bin, so that a refresh shifts the lines instead of redrawing them.
        var bin = Length / Bins;
        var end = new DateTimeOffset(context.Now.Ticks / bin.Ticks * bin.Ticks, TimeSpan.Zero);
        (From, To) = (Nanoseconds.From(end - Length), Nanoseconds.From(end));
        Now = Nanoseconds.From(context.Now);
        Edges = MetricMath.Edges(From, To, Bins);
        Moments = [.. Edges.Skip(1).Select(edge => context.Local(Nanoseconds.ToTime(edge)).ToString("HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture))];
    }

    public string Name { get; }
    public TimeSpan Length { get; }
    public ulong From { get; }
    public ulong To { get; }
    public ulong Now { get; }
    public ulong[] Edges { get; }
    public IReadOnlyList<string> Moments { get; }

    public static IEnumerable<(string Value, string Text)> Options => Choices.Select(choice => (choice.Value, choice.Text));
}
