using System.Text.Json.Nodes;
using NanoAspire.Engine.Text;
using NanoAspire.Engine.Text.Jinja;

namespace NanoAspire.Tests.Text.Jinja;

/// <summary>Renders a small template over a few variables of every type.</summary>
internal static class Template
{
    private const string Variables = """
        {"a":5,"b":-7,"f":2.5,"s":"Hello","e":"","n":null,"yes":true,"no":false,"l":[3,1,2],"ls":["b","A","c"],"emo":"a😀b𝒜c",
         "big":123456789012345678901234567890,"mix":[1,"x",null,true,2.0,["y"],{"k":"v"}],"d":{"x":1,"y":[1,2],"z":"it's"},
         "objs":[{"name":"foo","v":2,"on":true},{"name":"Bar","v":1,"on":false},{"name":"baz","v":3}],
         "tree":[{"n":1,"c":[{"n":2,"c":[]},{"n":3,"c":[{"n":4,"c":[]}]}]}]}
        """;

    public static string Render(string template) =>
        ChatTemplate.Parse(template).Render([], tools: null, addGenerationPrompt: false, JsonNode.Parse(Variables)!.AsObject());

    public static string Print(string expression) => Render("{{ " + expression + " }}");

    public static string Failure(string template) => Assert.Throws<ChatTemplateException>(() => Render(template)).Message;

    public static ChatTemplateException Limited(string template, RenderLimits limits) =>
        Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(template, null, null, limits).Render([], null, false));
}
