using System.Text.Json;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Relay;

/// <summary>What an answer says about itself: token counts and why it ended. An answer that says nothing is still an answer.</summary>
internal static class AnswerFacts
{
    /// <summary>Reads a whole answer, or the data of one stream event.</summary>
    public static void Read(ReadOnlySpan<byte> json, RequestReport report)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) return;
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("usage"u8)) ReadUsage(ref reader, report);
                else if (reader.ValueTextEquals("choices"u8)) ReadChoices(ref reader, report);
                else reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not for us to judge: the client gets the bytes as they are.
        }
    }

    private static void ReadUsage(ref Utf8JsonReader reader, RequestReport report)
    {
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("prompt_tokens"u8)) report.PromptTokens = Number(ref reader) ?? report.PromptTokens;
            else if (reader.ValueTextEquals("completion_tokens"u8)) report.CompletionTokens = Number(ref reader) ?? report.CompletionTokens;
            else if (reader.ValueTextEquals("prompt_tokens_details"u8))
            {
                reader.Read();
                if (reader.TokenType is not JsonTokenType.StartObject) reader.Skip();
                else
                {
                    while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
                    {
                        if (reader.ValueTextEquals("cached_tokens"u8)) report.CachedTokens = Number(ref reader) ?? report.CachedTokens;
                        else reader.Skip();
                    }
                }
            }
            else reader.Skip();
        }
    }

    private static void ReadChoices(ref Utf8JsonReader reader, RequestReport report)
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
                if (reader.ValueTextEquals("finish_reason"u8))
                {
                    reader.Read();
                    if (reader.TokenType is JsonTokenType.String) report.FinishReason = reader.GetString();
                    else reader.Skip();
                }
                else reader.Skip();
            }
        }
    }

    private static long? Number(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType is JsonTokenType.Number && reader.TryGetInt64(out var value)) return value;
        reader.Skip();
        return null;
    }
}
