namespace NanoAspire.Ctrl.Store;

/// <summary>One registration, already rendered: stores keep text and never look inside.</summary>
internal sealed record RegistryRecord
{
    /// <summary>First key segment: <c>engine</c> for the engine API, <c>service</c> and others for the entity API.</summary>
    public required string Type { get; init; }
    public required string Id { get; init; }
    /// <summary>Null for records of the engine API, which have no kind.</summary>
    public string? Kind { get; init; }
    /// <summary>JSON object returned by the look-up and list routes.</summary>
    public required string Info { get; init; }
    /// <summary>Fields of the Redis hash besides <c>info</c>, in wire order.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Fields { get; init; }
    /// <summary>Members of the ADD event that name the record, e.g. <c>"engine_id":"p0"</c>.</summary>
    public required string EventSubject { get; init; }
    /// <summary>JSON of the ADD event's <c>payload</c>.</summary>
    public required string EventPayload { get; init; }
    /// <summary>Given by clients that want only themselves to renew or remove the record.</summary>
    public string? LeaseId { get; init; }
}
