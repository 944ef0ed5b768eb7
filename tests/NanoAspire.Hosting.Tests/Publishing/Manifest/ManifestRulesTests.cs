namespace NanoAspire.Hosting.Tests.Publishing.Manifest;

/// <summary>The validator finds what is wrong, or its silence means nothing.</summary>
public sealed class ManifestRulesTests
{
    [Theory]
    [InlineData("""{"type": "project.v0"}""", "no path")]
    [InlineData("""{"type": "project.v0", "path": "a.csproj", "image": "x"}""", "unknown image")]
    [InlineData("""{"type": "container.v1"}""", "image or build")]
    [InlineData("""{"type": "container.v0", "image": "x", "env": {"A": "{nobody.value}"}}""", "names nothing")]
    [InlineData("""{"type": "container.v0", "image": "x", "env": {"A": "{r.bindings.http.url}"}}""", "names nothing")]
    [InlineData("""{"type": "container.v0", "image": "x", "env": {"A": 1}}""", "not a text")]
    [InlineData("""{"type": "container.v0", "image": "x", "bindings": {"http": {"scheme": "http", "protocol": "tcp"}}}""", "no transport")]
    [InlineData("""{"type": "container.v0", "image": "x", "bindings": {"http": {"scheme": "http", "protocol": "tcp", "transport": "http", "external": false}}}""", "only when true")]
    [InlineData("""{"type": "container.v0", "image": "x", "volumes": [{"name": "v", "target": "/v"}]}""", "no readOnly")]
    [InlineData("""{"type": "parameter.v0", "value": "{r.inputs.value}", "inputs": {"value": {"type": "string", "default": {"generate": {}}}}}""", "no minLength")]
    [InlineData("""{"type": "value.v0", "connectionString": null}""", "null")]
    [InlineData("{}", "no type")]
    public void A_broken_resource_is_found(string resource, string problem) =>
        Assert.Contains(ManifestRules.Check("{\"resources\": {\"r\": " + resource + "}}"), p => p.Contains(problem, StringComparison.Ordinal));

    [Fact]
    public void A_resource_of_an_unknown_type_is_passed_over() =>
        Assert.Empty(ManifestRules.Check("""{"resources": {"r": {"type": "somebody.else.v7", "anything": 1}}}"""));
}
