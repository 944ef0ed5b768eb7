using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Tests.Requests;

public sealed class JsonObjectBytesTests
{
    [Theory]
    [InlineData("""{"a":1}""", """{"a":1,"x":true}""")]
    [InlineData("""{}""", """{"x":true}""")]
    [InlineData("""{ "a" : [1, {"drop":2}] , "drop" : {"deep":[1]} , "b":"\u00e9 } , " }""", """{"a" : [1, {"drop":2}],"b":"\u00e9 } , ","x":true}""")]
    [InlineData("""{"drop":1,"drop":2,"a":1e1}""", """{"a":1e1,"x":true}""")]
    [InlineData("""{"x":"old","a":1}""", """{"a":1,"x":true}""")]
    public void Members_are_replaced_and_the_rest_keeps_its_bytes(string before, string after) =>
        Assert.Equal(after, Encoding.UTF8.GetString(Parse(before).With(["drop"], ("x", "true"))));

    /// <summary>Random objects: splicing agrees with doing the same to a parsed document.</summary>
    [Fact]
    public void Splicing_agrees_with_editing_the_document()
    {
        var random = new Random(42);
        for (var i = 0; i < 500; i++)
        {
            var document = new JsonObject();
            for (var member = random.Next(6); member > 0; member--) document[$"k{random.Next(8)}"] = Value(random, 3);
            var text = document.ToJsonString(new JsonSerializerOptions { WriteIndented = random.Next(2) == 0 });
            document.Remove("k1");
            document.Remove("k2");
            document["k2"] = 7;
            Assert.True(JsonNode.DeepEquals(document, JsonNode.Parse(Parse(text).With(["k1"], ("k2", "7")))), text);
        }
    }

    [Fact]
    public void Of_members_with_one_name_the_last_counts() => Assert.Equal("b", Parse("""{"m":"a","m":"b"}""").String("m"));

    [Fact]
    public void Values_are_read_by_kind()
    {
        var json = Parse("""{"t":true,"n":null,"i":12,"s":"x\n","o":{"a":1}}""");
        Assert.True(json.Boolean("t"));
        Assert.False(json.Has("n"));
        Assert.True(json.Contains("n"));
        Assert.False(json.Contains("z"));
        Assert.Equal(12, json.Integer("i"));
        Assert.Equal("x\n", json.String("s"));
        Assert.Equal("""{"a":1}""", Encoding.UTF8.GetString(json.Value("o").Span));
        Assert.Null(json.String("i"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"a\":}")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{} x")]
    [InlineData("{\"a\":\"\u0001\"}")]
    public void What_is_no_object_is_refused(string text) => Assert.ThrowsAny<JsonException>(() => Parse(text));

    private static JsonObjectBytes Parse(string text) => JsonObjectBytes.Parse(Encoding.UTF8.GetBytes(text), 64);

    private static JsonNode? Value(Random random, int depth) => random.Next(depth > 0 ? 6 : 4) switch
    {
        0 => null,
        1 => random.NextDouble(),
        2 => new string([.. Enumerable.Range(0, random.Next(5)).Select(_ => "a\"\\{}[],:é\n"[random.Next(11)])]),
        3 => random.Next(2) == 0,
        4 => new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => Value(random, depth - 1))]),
        _ => new JsonObject { ["k1"] = Value(random, depth - 1) },
    };

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        byte[] bytes = [.. """{"a":" """u8, 0xFF, .. "\"}"u8];
        Assert.ThrowsAny<JsonException>(() => JsonObjectBytes.Parse(bytes, 64));
    }
}
