using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Ctrl.Client.Tests;

public sealed class EngineEntitiesTests
{
    [Fact]
    public void A_descriptor_survives_the_trip_through_the_registry()
    {
        var engine = new EngineDescriptor
        {
            Id = "dlengine-m1-127.0.0.1:8100", Role = EngineRole.Prefill, Url = "http://127.0.0.1:8100", Models = ["m1", "/models/m1"],
            Incarnation = "i1", KvDigest = "d1", Capabilities = ["c1", "c2"], Draining = true,
        };
        var back = EngineEntities.TryRead(EngineEntities.ToEntity(engine, DateTimeOffset.UnixEpoch.AddSeconds(5)))!;
        Assert.True(EngineTable.Same([engine], [back.Engine]));
        Assert.Equal(5000, back.StartedAtMs);
    }

    [Theory]
    [InlineData("Prefill", EngineRole.Prefill)]
    [InlineData("DECODE", EngineRole.Decode)]
    [InlineData("encoder", EngineRole.Encoder)]
    [InlineData("bogus", EngineRole.Hybrid)]
    [InlineData(null, EngineRole.Hybrid)]
    public void Roles_are_read_without_case_and_what_is_unknown_serves_both_phases(string? text, EngineRole role) => Assert.Equal(role, EngineEntities.ParseRole(text));

    [Theory]
    [InlineData("m1", "/models/m1/", "m1,/models/m1")]
    [InlineData(null, "/models/m1/", "/models/m1,m1")]
    [InlineData("chat", "m1", "chat,m1")]
    [InlineData(null, null, "")]
    public void Models_of_an_original_engine_are_its_served_name_its_path_and_the_last_segment(string? served, string? path, string expected)
    {
        var entity = new EntityInfo
        {
            EntityId = "x", Kind = "dlengine", Endpoint = new JsonObject { ["host"] = "10.0.0.1", ["port"] = 8100, ["protocol"] = "http" },
            Metadata = new JsonObject { ["served_model_name"] = served, ["model_path"] = path, ["role"] = "hybrid" },
        };
        Assert.Equal(expected, string.Join(',', EngineEntities.TryRead(entity)!.Engine.Models));
    }

    [Fact]
    public void The_protocol_decides_the_scheme_and_a_port_may_be_text()
    {
        var entity = new EntityInfo { EntityId = "x", Kind = "dlengine", Endpoint = new JsonObject { ["host"] = "::1", ["port"] = "8443", ["protocol"] = "https" } };
        Assert.Equal("https://[::1]:8443", EngineEntities.TryRead(entity)!.Engine.Url);
    }

    [Theory]
    [InlineData("""{"host":"h"}""")]
    [InlineData("""{"port":1}""")]
    [InlineData("""{"host":"h","port":70000}""")]
    [InlineData("null")]
    [InlineData("""{"host":"a b","port":1}""")]
    [InlineData("""{"host":"h/path?","port":1}""")]
    [InlineData("""{"host":"user@h","port":1}""")]
    public void An_entity_without_a_usable_address_is_no_engine(string endpoint) =>
        Assert.Null(EngineEntities.TryRead(new EntityInfo { EntityId = "x", Kind = "dlengine", Endpoint = JsonNode.Parse(endpoint) }));
}
