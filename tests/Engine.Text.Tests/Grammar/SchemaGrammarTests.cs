using System.Text;
using System.Text.Json.Nodes;

namespace NanoAspire.Tests.Text.Grammar;

/// <summary>Whatever is drawn under a schema's grammar, once finished, is JSON that an independent validator accepts.</summary>
public sealed class SchemaGrammarTests
{
    [Theory]
    [InlineData("""{"type":"object"}""")]
    [InlineData("""{}""")]
    [InlineData("""{"type":"string"}""")]
    [InlineData("""{"type":"string","minLength":3,"maxLength":5}""")]
    [InlineData("""{"type":"string","maxLength":0}""")]
    [InlineData("""{"type":"string","minLength":200}""")]
    [InlineData("""{"type":"string","pattern":"^[a-f]{2,4}-\\d+(x|yy|\"q\")$"}""")]
    [InlineData("""{"type":"string","pattern":"^[^a-z\"]*$","minLength":2,"maxLength":9}""")]
    [InlineData("""{"type":"string","pattern":"^(ab|c)+$","minLength":4}""")]
    [InlineData("""{"type":"string","pattern":"^\\u00e9\\u4e2d[\\u0400-\\u04ff]{3}\\n$"}""")]
    [InlineData("""{"type":"string","format":"date"}""")]
    [InlineData("""{"type":"string","format":"date-time"}""")]
    [InlineData("""{"type":"string","format":"uuid"}""")]
    [InlineData("""{"type":"string","format":"ipv4"}""")]
    [InlineData("""{"type":"string","format":"ipv6"}""")]
    [InlineData("""{"type":"string","format":"email"}""")]
    [InlineData("""{"type":"string","format":"uri"}""")]
    [InlineData("""{"type":"string","format":"hostname","maxLength":12}""")]
    [InlineData("""{"type":"integer"}""")]
    [InlineData("""{"type":"integer","minimum":-17,"maximum":1203}""")]
    [InlineData("""{"type":"integer","exclusiveMinimum":99,"exclusiveMaximum":101}""")]
    [InlineData("""{"type":"integer","minimum":5}""")]
    [InlineData("""{"type":"integer","maximum":-5.5}""")]
    [InlineData("""{"type":"number"}""")]
    [InlineData("""{"type":"number","minimum":0,"maximum":1}""")]
    [InlineData("""{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}""")]
    [InlineData("""{"type":"number","minimum":-2.75,"maximum":13.125}""")]
    [InlineData("""{"type":"number","minimum":0.1}""")]
    [InlineData("""{"type":"number","exclusiveMaximum":-0.001}""")]
    [InlineData("""{"type":"number","minimum":1.5,"maximum":1.75}""")]
    [InlineData("""{"type":"number","minimum":3,"maximum":3}""")]
    [InlineData("""{"type":["string","null","integer"]}""")]
    [InlineData("""{"enum":["a","b\"\n",1,null,true,{"x":[1,{}],"y":"é中"},[]]}""")]
    [InlineData("""{"type":"string","enum":["red","green",3]}""")]
    [InlineData("""{"const":{"k":"v"}}""")]
    [InlineData("""{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":4}""")]
    [InlineData("""{"type":"array","items":{"type":"string"},"minItems":1}""")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}""")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"minItems":1,"maxItems":5,"items":{"type":"boolean"}}""")]
    [InlineData("""{"type":"array","maxItems":0}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"},"c":{"type":"boolean"}},"required":["b"],"additionalProperties":false}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"ab":{"type":"integer"},"é":{"type":"null"}},"additionalProperties":{"type":"string"}}""")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"number"}}""")]
    [InlineData("""{"type":"object","required":["x","y"]}""")]
    [InlineData("""{"type":"object","properties":{"a\"b\\":{"type":"integer"}},"required":["a\"b\\"],"additionalProperties":true}""")]
    [InlineData("""{"type":"object","properties":{"a":false,"b":{"type":"integer"}}}""")]
    [InlineData("""{"anyOf":[{"type":"integer"},{"type":"object","properties":{"v":{"type":"integer"}},"required":["v"]}]}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}""")]
    [InlineData("""{"oneOf":[{"type":"object","properties":{"k":{"const":"a"},"x":{"type":"integer"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"b"}},"required":["k"]}]}""")]
    [InlineData("""{"allOf":[{"type":"object","properties":{"a":{"type":"integer","minimum":3}},"required":["a"]},{"properties":{"a":{"maximum":5},"b":{"type":"null"}}}]}""")]
    [InlineData("""{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["v","next"],"additionalProperties":false}}}""")]
    [InlineData("""{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}}},"required":["name","children"],"additionalProperties":false}""")]
    public void Finished_outputs_are_valid(string schema)
    {
        var validator = new SchemaValidator(JsonNode.Parse(schema));
        foreach (var name in (string[])["nano-demo", "qwen2-style", "deepseek-v3-style"])
        {
            var grammar = GrammarWriter.Schema(schema, Vocabularies.Get(name).Vocabulary);
            var random = new Random(7);
            var finished = 0;
            for (var i = 0; i < 40; i++)
            {
                var (bytes, _, done) = GrammarWriter.Write(grammar, random, patience: i % 2 == 0 ? 5 : 60);
                if (!done) continue;
                finished++;
                Assert.Null(validator.Check(Parse(bytes)));
            }
            Assert.True(finished > 20, $"{name}: only {finished} of 40 outputs were finished");
        }
    }

    private static JsonNode? Parse(byte[] bytes)
    {
        try { return JsonNode.Parse(bytes); }
        catch (System.Text.Json.JsonException e) { throw new InvalidOperationException(Encoding.UTF8.GetString(bytes), e); }
    }
}
