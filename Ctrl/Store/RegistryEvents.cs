using System.Text.Encodings.Web;
using System.Text.Json;

namespace NanoAspire.Ctrl.Store;

/// <summary>The text that both stores announce on a change. Built as text, so that an empty array in a payload stays one.</summary>
internal static class RegistryEvents
{
    /// <summary>Members of a REMOVE event that name the record. Watchers of engines look for <c>engine_id</c>, whoever removed it.</summary>
    public static string RemoveSubject(string type, string id) => type == Names.Engine
        ? $"\"engine_id\":{Quote(id)}"
        : $"\"entity_type\":{Quote(type)},\"entity_id\":{Quote(id)}";

    public static string AddSubject(string type, string id, string kind)
    {
        var entity = $"\"entity_type\":{Quote(type)},\"entity_id\":{Quote(id)},\"kind\":{Quote(kind)}";
        return type == Names.Engine ? $"\"engine_id\":{Quote(id)},{entity}" : entity;
    }

    public static string EngineSubject(string id) => $"\"engine_id\":{Quote(id)}";

    public static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
