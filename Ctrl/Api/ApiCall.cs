using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Api;

/// <summary>A call whose body and scope have been read; handlers take the rest from it.</summary>
internal sealed class ApiCall(HttpContext http, Body body, string scope, ICtrlStore store)
{
    public HttpContext Http => http;
    public Body Body => body;
    public string Scope => scope;
    public ICtrlStore Store => store;

    /// <summary>What the audit line names: set by the handler as soon as it knows.</summary>
    public string Subject { get; set; } = "-";

    /// <summary>Type and id of a record, checked, from the fields that every registry route has.</summary>
    /// <param name="type">The type's text, already defaulted.</param>
    /// <param name="idField">Name of the id's field.</param>
    public string RecordId(string type, string idField)
    {
        var id = body.Text(idField);
        if (Names.RefuseId(type, id) is { } reason) throw ApiException.Unfit(idField, reason);
        Subject = $"{type}:{id}";
        return id;
    }

    public string AgentName(string field)
    {
        var name = body.Text(field);
        CheckAgent(field, name);
        Subject = $"agent:{name}";
        return name;
    }

    public static void CheckAgent(string field, string name)
    {
        if (Names.RefuseAgent(name) is { } reason) throw ApiException.Unfit(field, reason);
    }

    /// <summary>Ours: a client that sends one is the only one to renew or remove what it registered.</summary>
    public string? LeaseId() => Limited("lease_id", body.OptionalText("lease_id"), 128) is { Length: > 0 } lease ? lease : null;

    public static string? Limited(string field, string? text, int most) =>
        text is null || text.Length <= most ? text : throw ApiException.Unfit(field, $"is longer than {most} characters");
}
