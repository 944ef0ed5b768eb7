using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Tests.Support;

internal static class Samples
{
    public static RegistryRecord Entity(string id, string kind = "cache", string type = Names.Service, string? leaseId = null) => new()
    {
        Type = type,
        Id = id,
        Kind = kind,
        Info = $$"""{"entity_id":"{{id}}","kind":"{{kind}}"}""",
        Fields = [new("entity_type", type), new("entity_id", id), new("kind", kind)],
        EventSubject = RegistryEvents.AddSubject(type, id, kind),
        EventPayload = "{}",
        LeaseId = leaseId,
    };

    public static AgentRecord Agent(string? instance = null) => new() { Address = "127.0.0.1", Instance = instance };
}
