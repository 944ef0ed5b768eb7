using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Continuation;

/// <summary>
/// What the client has of a streamed answer, so that another engine can go on with it: the tokens behind it, and the id that all
/// its events carry. Engines list each event's tokens for the router; the client sees the events without.
/// </summary>
internal sealed class StreamProgress(bool clientWantsTokens)
{
    /// <summary>An engine that can go on with an answer, and lists tokens when asked to.</summary>
    public const string Capability = "resume";

    private readonly ArrayBufferWriter<byte> _output = new(1024);
    private readonly List<int> _tokens = [];
    private byte[] _id = [];
    private byte[] _created = [];
    private bool _lost;

    /// <summary>Engines that broke off.</summary>
    public HashSet<Node> Gone { get; } = [];

    /// <summary>How often another engine went on.</summary>
    public int Moves { get; private set; }

    /// <summary>Everything that the client got is known by its tokens.</summary>
    public bool Known => !_lost;

    /// <summary>The client has the answer's last token.</summary>
    public bool Finished { get; private set; }

    /// <summary>The client has the token counts.</summary>
    public bool UsageSent { get; private set; }

    public int TokenCount => _tokens.Count;

    /// <summary>The tokens that the client has, as a JSON list.</summary>
    public string TokensJson => $"[{string.Join(',', _tokens.Select(static id => id.ToString(CultureInfo.InvariantCulture)))}]";

    /// <summary>Another engine goes on from here.</summary>
    public void Move() => Moves++;

    /// <summary>The events as the client gets them; valid until the next call.</summary>
    /// <param name="events">Whole events, or a piece of one that is too long to hold.</param>
    /// <param name="failed">The engine reported a failure; what follows is not in the result.</param>
    public ReadOnlyMemory<byte> Pass(ReadOnlySpan<byte> events, out bool failed)
    {
        _output.ResetWrittenCount();
        failed = false;
        while (!events.IsEmpty && !failed)
        {
            var length = SseEvents.FirstLength(events);
            if (length == 0)
            {
                _lost = true;
                _output.Write(events);
                break;
            }
            failed = !PassOne(events[..length]);
            events = events[length..];
        }
        return _output.WrittenMemory;
    }

    /// <summary>
    /// The usual event, one piece of a chat's content and its token, without a parse: in JSON text an unescaped quote never stands
    /// inside a string, so a member's name with its quotes is that member.
    /// </summary>
    private bool PassPlain(ReadOnlySpan<byte> data)
    {
        if (Moves > 0 || clientWantsTokens || _id.Length == 0) return false;
        var at = data.LastIndexOf(",\"token_ids\":["u8);
        var content = data.IndexOf("\"delta\":{\"content\":\""u8);
        if (at < 0 || content < 0 || data[content + 20] == '"' || data.IndexOf("\"finish_reason\":null"u8) < 0 || data.IndexOf("\"usage\":{"u8) >= 0) return false;
        var rest = data[(at + 14)..];
        if (!Utf8Parser.TryParse(rest, out int token, out var length) || length >= rest.Length || rest[length] != ']') return false;
        _tokens.Add(token);
        _output.Write("data: "u8);
        _output.Write(data[..at]);
        _output.Write(rest[(length + 1)..]);
        _output.Write("\n\n"u8);
        return true;
    }

    private bool PassOne(ReadOnlySpan<byte> whole)
    {
        var rest = whole;
        if (!SseEvents.TryNextData(ref rest, out var data) || data is not [(byte)'{', ..])
        {
            _output.Write(whole);
            return true;
        }
        if (StreamTap.IsError(data)) return false;
        if (PassPlain(data)) return true;
        try
        {
            var before = _tokens.Count;
            var chunk = ChunkEdit.Read(data, _tokens);
            if (chunk.HasOutput && !chunk.ListsTokens && !Finished) _lost = true;
            if (_id.Length == 0) (_id, _created) = (chunk.Id.ToArray(), chunk.Created.ToArray());
            Finished |= chunk.Finished;
            UsageSent |= chunk.HasUsage;
            // Events for the router alone; and of an answer that goes on, its second beginning.
            if (!chunk.Says && (Moves > 0 || (chunk.ListsTokens && !clientWantsTokens))) return true;
            if (_tokens.Count == before && Moves == 0 && !chunk.ListsTokens)
            {
                _output.Write(whole);
                return true;
            }
            _output.Write("data: "u8);
            chunk.Write(_output, clientWantsTokens, Moves > 0 ? _id : [], Moves > 0 ? _created : []);
            _output.Write("\n\n"u8);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            _lost = true;   // not ours to judge, but not to go on from either
            _output.Write(whole);
        }
        return true;
    }
}
