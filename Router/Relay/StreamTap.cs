using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Relay;

/// <summary>Looks at the events that pass, for the access log and the metrics. Parses only those that carry more than text.</summary>
internal sealed class StreamTap(RequestReport report, TimeProvider time)
{
    private long _last;

    /// <summary>Events with data so far.</summary>
    public int Events { get; private set; }
    /// <summary>The stream said that it is complete.</summary>
    public bool Done { get; private set; }
    /// <summary>The engine reported a failure inside the stream.</summary>
    public bool Error { get; private set; }

    public void See(ReadOnlySpan<byte> events)
    {
        var before = Events;
        var begun = report.FirstToken is not null;
        SeeAll(events);
        // Events that arrive together share the time since the last ones.
        var now = time.GetTimestamp();
        if (begun && Events > before) Telemetry.InterToken.Record(time.GetElapsedTime(_last, now).TotalSeconds / (Events - before), new KeyValuePair<string, object?>("model", report.Model));
        _last = now;
    }

    private void SeeAll(ReadOnlySpan<byte> events)
    {
        while (SseEvents.TryNextData(ref events, out var data))
        {
            Events++;
            if (data.SequenceEqual("[DONE]"u8)) Done = true;
            else if (IsError(data)) Error = true;
            else
            {
                // The opening event of a chat has a role and no token.
                if (report.FirstToken is null && (Events > 1 || data.IndexOf("\"role\""u8) < 0)) report.FirstToken = time.GetElapsedTime(report.Started);
                if (Has(data, "\"usage\""u8) || Has(data, "\"finish_reason\""u8)) AnswerFacts.Read(data, report);
            }
        }
    }

    /// <summary>Whether a member is there and not null; may be wrong about text that looks like one, which costs a parse.</summary>
    private static bool Has(ReadOnlySpan<byte> data, ReadOnlySpan<byte> member)
    {
        var at = data.IndexOf(member);
        return at >= 0 && data[(at + member.Length)..].TrimStart(" :"u8) is [not (byte)'n', ..];
    }

    /// <summary>Whether an event's data is an error envelope.</summary>
    public static bool IsError(ReadOnlySpan<byte> data) => data.StartsWith("{\"error\":"u8);
}
