using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Requests;
using Microsoft.AspNetCore.Http;
using System.Text;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>Nodes and requests without sockets, for what is only computed.</summary>
internal static class TestNodes
{
    public static Node Create(string name, TimeProvider? time = null, EngineRole role = EngineRole.Hybrid) => new(
        new EngineDescriptor { Id = name, Url = "http://" + name, Role = role, Models = ["m1"] }, new RouterOptions(), time ?? TimeProvider.System);

    public static Node[] Create(params ReadOnlySpan<string> names)
    {
        var nodes = new Node[names.Length];
        for (var i = 0; i < names.Length; i++) nodes[i] = Create(names[i]);
        return nodes;
    }

    /// <summary>Keeps the node busy with so many requests.</summary>
    public static void Occupy(this Node node, int requests, int promptBytes = 0)
    {
        for (var i = 0; i < requests; i++) node.TryEnter(promptBytes);
    }

    public static InferenceRequest Chat(string text = "hi", string? session = null)
    {
        var headers = new HeaderDictionary();
        if (session is not null) headers["x-session-id"] = session;
        var content = System.Text.Json.JsonSerializer.Serialize(text);
        return InferenceRequest.Parse(
            InferenceEndpoint.ChatCompletions, Encoding.UTF8.GetBytes($$"""{"model":"m1","messages":[{"role":"user","content":{{content}}}]}"""), 64, "r", headers);
    }
}
