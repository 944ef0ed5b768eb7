using System.Buffers;
using System.Text.Json;

namespace NanoAspire.Router.Continuation;

/// <summary>One event of an answer, taken apart as far as going on with the answer needs it, and put together with what has to change.</summary>
internal ref struct ChunkEdit
{
    private readonly ReadOnlySpan<byte> _json;
    private Range _id;
    private Range _created;
    private Range _tokens;
    private Range _promptTokens;

    private ChunkEdit(ReadOnlySpan<byte> json) => _json = json;

    /// <summary>The answer's id and time of creation as JSON text.</summary>
    public readonly ReadOnlySpan<byte> Id => _json[_id];
    public readonly ReadOnlySpan<byte> Created => _json[_created];
    /// <summary>The event says something besides which tokens it stands for.</summary>
    public bool Says { get; private set; }
    /// <summary>Text, reasoning, calls or log-probabilities: what tokens bring.</summary>
    public bool HasOutput { get; private set; }
    public bool Finished { get; private set; }
    public bool HasUsage { get; private set; }
    public bool ListsTokens { get; private set; }

    /// <param name="json">The event's data.</param>
    /// <param name="tokens">Gets the ids that the event lists.</param>
    /// <exception cref="JsonException">It is no JSON object.</exception>
    public static ChunkEdit Read(ReadOnlySpan<byte> json, List<int> tokens)
    {
        var edit = new ChunkEdit(json);
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) throw new JsonException("an event is no JSON object");
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("id"u8)) edit._id = Value(ref reader);
            else if (reader.ValueTextEquals("created"u8)) edit._created = Value(ref reader);
            else if (reader.ValueTextEquals("choices"u8)) edit.ReadChoices(ref reader, tokens);
            else if (reader.ValueTextEquals("usage"u8))
            {
                reader.Read();
                edit.HasUsage = reader.TokenType is not JsonTokenType.Null;
                reader.Skip();
            }
            else
            {
                var start = (int)reader.TokenStartIndex;
                var prompt = reader.ValueTextEquals("prompt_token_ids"u8);
                reader.Read();
                reader.Skip();
                if (prompt) edit._promptTokens = edit.Member(start, (int)reader.BytesConsumed);
            }
        }
        edit.Says = edit.HasOutput || edit.Finished || edit.HasUsage;
        return edit;
    }

    /// <summary>Writes the event.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="keepTokens">The client asked for ids itself.</param>
    /// <param name="id">Replaces the id; empty to leave it.</param>
    /// <param name="created">Replaces the time of creation; empty to leave it.</param>
    public readonly void Write(IBufferWriter<byte> output, bool keepTokens, ReadOnlySpan<byte> id, ReadOnlySpan<byte> created)
    {
        Span<(Range Range, int With)> changes = [(_id, id.IsEmpty ? -1 : 1), (_created, created.IsEmpty ? -1 : 2), (_tokens, keepTokens ? -1 : 0), (_promptTokens, keepTokens ? -1 : 0)];
        changes.Sort(static (a, b) => a.Range.Start.Value.CompareTo(b.Range.Start.Value));
        var at = 0;
        foreach (var (range, with) in changes)
        {
            if (with < 0 || range.End.Value == 0) continue;
            output.Write(_json[at..range.Start.Value]);
            if (with > 0) output.Write(with == 1 ? id : created);
            at = range.End.Value;
        }
        output.Write(_json[at..]);
    }

    private void ReadChoices(ref Utf8JsonReader reader, List<int> tokens)
    {
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartArray)
        {
            reader.Skip();
            return;
        }
        while (reader.Read() && reader.TokenType is JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var start = (int)reader.TokenStartIndex;
                if (reader.ValueTextEquals("delta"u8)) ReadDelta(ref reader);
                else if (reader.ValueTextEquals("text"u8)) HasOutput |= IsText(ref reader);
                else if (reader.ValueTextEquals("finish_reason"u8)) Finished |= IsSet(ref reader);
                else if (reader.ValueTextEquals("logprobs"u8)) HasOutput |= IsSet(ref reader);
                else if (reader.ValueTextEquals("token_ids"u8))
                {
                    ReadTokens(ref reader, tokens);
                    _tokens = Member(start, (int)reader.BytesConsumed);
                }
                else if (reader.ValueTextEquals("prompt_token_ids"u8))
                {
                    Value(ref reader);
                    _promptTokens = Member(start, (int)reader.BytesConsumed);
                }
                else Value(ref reader);
            }
        }
    }

    private void ReadDelta(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("role"u8)) Value(ref reader);
            else HasOutput |= IsText(ref reader);
        }
    }

    private void ReadTokens(ref Utf8JsonReader reader, List<int> tokens)
    {
        reader.Read();
        ListsTokens = reader.TokenType is JsonTokenType.StartArray;
        if (!ListsTokens) reader.Skip();
        else while (reader.Read() && reader.TokenType is JsonTokenType.Number) tokens.Add(reader.GetInt32());
    }

    /// <summary>Whether a value is there: not null, and not an empty string.</summary>
    private static bool IsText(ref Utf8JsonReader reader)
    {
        reader.Read();
        var text = reader.TokenType is JsonTokenType.String ? reader.ValueSpan.Length > 0 : reader.TokenType is not JsonTokenType.Null;
        reader.Skip();
        return text;
    }

    private static bool IsSet(ref Utf8JsonReader reader)
    {
        reader.Read();
        var set = reader.TokenType is not JsonTokenType.Null;
        reader.Skip();
        return set;
    }

    private static Range Value(ref Utf8JsonReader reader)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return start..(int)reader.BytesConsumed;
    }

    /// <summary>A member together with the comma that sets it off.</summary>
    private readonly Range Member(int start, int end)
    {
        var before = _json[..start].TrimEnd(" \t\r\n"u8);
        if (before is [.., (byte)',']) return (before.Length - 1)..end;
        var after = _json[end..];
        var rest = after.TrimStart(" \t\r\n"u8);
        return start..(rest is [(byte)',', ..] ? end + after.Length - rest.Length + 1 : end);
    }
}
