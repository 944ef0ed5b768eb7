using System.Text.Json.Nodes;

namespace NanoAspire.Tests.Text.Grammar;

/// <summary>Random schemas, random outputs: whatever is finished is valid.</summary>
public sealed class RandomSchemaTests
{
    private static readonly string[] Names = ["a", "ab", "b", "name", "é", "x\"y"];

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Finished_outputs_of_random_schemas_are_valid(int seed)
    {
        var random = new Random(seed);
        var finished = 0;
        for (var round = 0; round < 25; round++)
        {
            var schema = Schema(random, depth: 3);
            schema["$defs"] = new JsonObject { ["tree"] = JsonNode.Parse("""{"type":"object","properties":{"v":{"type":"integer"},"kids":{"type":"array","items":{"$ref":"#/$defs/tree"},"maxItems":2}},"required":["v"],"additionalProperties":false}""") };
            var name = round % 2 == 0 ? "nano-demo" : "qwen2-style";
            var grammar = GrammarWriter.Schema(schema.ToJsonString(), Vocabularies.Get(name).Vocabulary);
            var validator = new SchemaValidator(schema);
            for (var i = 0; i < 6; i++)
            {
                var (bytes, _, done) = GrammarWriter.Write(grammar, random, patience: 40);
                if (!done) continue;
                finished++;
                var wrong = validator.Check(JsonNode.Parse(bytes));
                Assert.True(wrong is null, $"{wrong}\n{schema.ToJsonString()}\n{System.Text.Encoding.UTF8.GetString(bytes)}");
            }
        }
        Assert.True(finished > 75, $"only {finished} of 150 were finished");
    }

    private static JsonObject Schema(Random random, int depth)
    {
        switch (random.Next(depth > 0 ? 12 : 7))
        {
            case 0: return Bounds(random, new() { ["type"] = "integer" }, () => random.Next(-500, 500));
            case 1: return Bounds(random, new() { ["type"] = "number" }, () => random.Next(-5000, 5000) / 64.0);
            case 2: return new() { ["type"] = "boolean" };
            case 3: return new() { ["enum"] = new JsonArray([.. Enumerable.Range(0, 1 + random.Next(4)).Select(i => (JsonNode?)(random.Next(3) == 0 ? JsonValue.Create(i) : JsonValue.Create(Names[random.Next(Names.Length)] + i)))]) };
            case 4:
                var min = random.Next(4);
                return new() { ["type"] = "string", ["minLength"] = min, ["maxLength"] = min + random.Next(6) };
            case 5: return new() { ["type"] = "string", ["pattern"] = ((string[])["^[a-c]{1,3}$", "^\\d+[x\"]?$", "^(é|\\\\|\\n)*z$"])[random.Next(3)] };
            case 6: return new() { ["type"] = random.Next(2) == 0 ? "string" : new JsonArray("null", "integer") };
            case 7: return new() { ["$ref"] = "#/$defs/tree" };
            case 8:
                var array = new JsonObject { ["type"] = "array", ["items"] = Schema(random, depth - 1) };
                if (random.Next(2) == 0) array["minItems"] = random.Next(3);
                array["maxItems"] = 2 + random.Next(3);
                if (random.Next(3) == 0) array["prefixItems"] = new JsonArray(Schema(random, depth - 1));
                return array;
            case 9: return new() { ["anyOf"] = new JsonArray(Schema(random, depth - 1), Schema(random, depth - 1)) };
            default:
                var names = Names.Where(_ => random.Next(2) == 0).ToArray();
                var o = new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject(names.Select(name => KeyValuePair.Create(name, (JsonNode?)Schema(random, depth - 1)))),
                    ["required"] = new JsonArray([.. names.Where(_ => random.Next(2) == 0).Select(name => (JsonNode?)name)]),
                };
                if (random.Next(3) > 0) o["additionalProperties"] = random.Next(2) == 0 ? Schema(random, 0) : JsonValue.Create(false);
                return o;
        }
    }

    private static JsonObject Bounds(Random random, JsonObject schema, Func<double> draw)
    {
        var (low, high) = (draw(), draw());
        if (low > high) (low, high) = (high, low);
        if (random.Next(2) == 0) schema["minimum"] = low;
        if (random.Next(2) == 0) schema["maximum"] = high;
        if (!schema.ContainsKey("minimum") && random.Next(2) == 0) schema["exclusiveMinimum"] = low - 1;
        if (!schema.ContainsKey("maximum") && random.Next(2) == 0) schema["exclusiveMaximum"] = high + 1.5;
        return schema;
    }
}
