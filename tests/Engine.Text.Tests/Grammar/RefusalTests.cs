using System.Text.Json;
using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Tests.Text.Grammar;

/// <summary>What cannot be kept is refused, with its name and place; nothing is dropped in silence, and everything is bounded.</summary>
public sealed class RefusalTests
{
    private static readonly GrammarVocabulary Bytes = Vocabularies.Of();

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"items":{"multipleOf":3}}}}""", "$.properties.a.items", "'multipleOf'")]
    [InlineData("""{"patternProperties":{}}""", "$", "'patternProperties'")]
    [InlineData("""{"type":"array","contains":{}}""", "$", "'contains'")]
    [InlineData("""{"if":{},"then":{}}""", "$", "'if'")]
    [InlineData("""{"anyOf":[{"type":"string"},{"minProperties":1}]}""", "$.anyOf[1]", "'minProperties'")]
    [InlineData("""{"bogus":1,"anyOf":[{"type":"string"}]}""", "$", "'bogus'")]
    [InlineData("""{"type":"strnig"}""", "$", "'strnig'")]
    [InlineData("""{"type":5}""", "$", "'type'")]
    [InlineData("""{"properties":[]}""", "$", "'properties'")]
    [InlineData("""{"properties":{"a":5}}""", "$.properties.a", "a schema must be")]
    [InlineData("""{"required":"a"}""", "$", "'required'")]
    [InlineData("""{"minLength":-1}""", "$", "'minLength'")]
    [InlineData("""{"minimum":"a"}""", "$", "'minimum'")]
    [InlineData("""{"enum":5}""", "$", "'enum'")]
    [InlineData("""{"anyOf":[]}""", "$", "'anyOf'")]
    [InlineData("""{"$ref":"http://x/y"}""", "$", "'$ref'")]
    [InlineData("""{"$ref":"#/a/b"}""", "$", "leads nowhere")]
    [InlineData("""{"type":"string","format":"iri"}""", "$.format", "'iri'")]
    [InlineData("""{"type":"string","pattern":"(?=a)"}""", "$.pattern", "look-around")]
    [InlineData("""{"type":"string","pattern":"(a)\\1"}""", "$.pattern", "back reference")]
    [InlineData("""{"type":"string","pattern":"a^b"}""", "$.pattern", "'^' or '$' inside")]
    [InlineData("""{"type":"string","pattern":"[z-a]"}""", "$.pattern", "reversed")]
    [InlineData("""{"type":"string","pattern":"a{99999}"}""", "$.pattern", "repeats more")]
    [InlineData("""{"type":"string","pattern":"a","format":"uuid"}""", "$.format", "more than one")]
    [InlineData("""{"enum":["a"],"minLength":1}""", "$", "'enum'")]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"number"}]}""", "$.oneOf", "may overlap")]
    [InlineData("""{"oneOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"object"}]}""", "$.oneOf", "may overlap")]
    [InlineData("""false""", "$", "no finite text")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "$", "no finite text")]
    [InlineData("""{"$ref":"#"}""", null, "")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""", "$", "no finite text")]
    [InlineData("""{"type":"integer","minimum":1.2,"maximum":1.8}""", "$", "no finite text")]
    [InlineData("""{"type":"integer","minimum":1e30}""", "$", "no finite text")]
    [InlineData("""{"type":"string","minLength":5,"maxLength":4}""", "$", "no finite text")]
    [InlineData("""{"type":"string","pattern":"^a$","minLength":2}""", "$", "no finite text")]
    [InlineData("""{"type":"array","prefixItems":[{}],"items":false,"minItems":2}""", "$", "no finite text")]
    [InlineData("""{"const":"\ud800"}""", "$.const", "valid Unicode")]
    public void A_schema_is_refused_by_name_and_place(string schema, string? path, string says)
    {
        if (path is null)
        {
            Compile(schema);                               // says nothing, so it allows everything
            return;
        }
        var e = Assert.Throws<GrammarException>(() => Compile(schema));
        Assert.Equal(path, e.Path);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_are_bounded()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"items\":", 40)) + "{}" + new string('}', 40);
        Compile(deep);
        Refused(string.Concat(Enumerable.Repeat("{\"items\":", 100)) + "{}" + new string('}', 100), "deeper");
        Refused($$"""{"enum":[{{string.Join(',', Enumerable.Range(0, 60_000))}}]}""", "values");
        Refused($$"""{"description":"{{new string('x', 600_000)}}"}""", "larger");
        Refused("""{"type":"string","pattern":"((a{1000}){1000}){1000}"}""", "states");
        Refused("""{"type":"string","pattern":"^(((){10000}){10000}){10000}$"}""", "states");
        Refused("{\"type\":\"object\",\"properties\":{" + string.Join(',', Enumerable.Range(0, 2100).Select(i => $"\"p{i}\":true")) + "}}", "properties");
        Refused($$"""{"allOf":[{{string.Join(',', Enumerable.Repeat("""{"anyOf":[{"minLength":1},{"minLength":2}]}""", 10))}}]}""", "combinations");
        var chain = Enumerable.Range(0, 5000).Select(i => $$$"""
            "d{{{i}}}":{"$ref":"#/$defs/d{{{i + 1}}}"}
            """);
        Refused(Chain(chain, "d5000"), "chain");
    }

    [Fact]
    public void A_long_chain_of_references_through_properties_is_compiled()
    {
        var chain = Enumerable.Range(0, 2000).Select(i => $"\"d{i}\":" + """{"type":"object","properties":{"n":{"$ref":"#/$defs/d""" + $"{i + 1}" + "\"}}}");
        Assert.True(GrammarWriter.Write(Compile(Chain(chain, "d2000")), new Random(1), patience: 5).Finished);
    }

    private static string Chain(IEnumerable<string> links, string last) =>
        "{\"$ref\":\"#/$defs/d0\",\"$defs\":{" + string.Join(',', links) + $",\"{last}\":{{}}}}}}";

    private static void Refused(string schema, string says) => Assert.Contains(says, Assert.Throws<GrammarException>(() => Compile(schema)).Message, StringComparison.Ordinal);

    private static CompiledGrammar Compile(string schema)
    {
        using var document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = 500 });
        return GrammarCompiler.Compile(new OutputConstraint.JsonSchema(document.RootElement), Bytes);
    }
}
