using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NanoAspire.Protocol.Wire;

/// <summary>Source-generated JSON of everything that NanoAspire's own processes say to one another (snake_case, nulls left out).</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(HandoffTicket[]))]
[JsonSerializable(typeof(KvTransferParams))]
[JsonSerializable(typeof(EngineDescriptor))]
public sealed partial class WireJson : JsonSerializerContext;

/// <summary>The opaque text form of hand-off tickets.</summary>
public static class MigrationText
{
    public static string Encode(HandoffTicket[] tickets) =>
        Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(tickets, WireJson.Default.HandoffTicketArray));

    /// <exception cref="FormatException">The text is not base64url, not JSON, or of another version.</exception>
    public static HandoffTicket[] Decode(string text)
    {
        HandoffTicket[]? tickets;
        try { tickets = JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), WireJson.Default.HandoffTicketArray); }
        catch (JsonException e) { throw new FormatException($"migration is not a hand-off ticket: {e.Message}", e); }
        if (tickets is null or []) throw new FormatException("migration holds no hand-off ticket");
        foreach (var ticket in tickets)
            if (ticket.Version != HandoffTicket.CurrentVersion)
                throw new FormatException($"hand-off ticket version {ticket.Version} is not {HandoffTicket.CurrentVersion}");
        return tickets;
    }
}
