using System.Text;
using NanoAspire.Router.Requests;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Requests;

public sealed class PromptTextTests
{
    [Fact]
    public void Chains_agree_exactly_as_far_as_the_texts_do()
    {
        var a = TestNodes.Chat(new string('x', 1000) + "a" + new string('y', 500)).Prompt;
        var b = TestNodes.Chat(new string('x', 1000) + "b" + new string('y', 500)).Prompt;
        var common = a.Chain.Zip(b.Chain).TakeWhile(pair => pair.First == pair.Second).Count();
        Assert.InRange(common, 1000 / PromptText.BlockBytes, (1000 / PromptText.BlockBytes) + 1);
        Assert.DoesNotContain(a.Chain.Zip(b.Chain).Skip(common), pair => pair.First == pair.Second);   // the same tail after another beginning is another tail
    }

    [Fact]
    public void Tools_come_before_the_messages()
    {
        var without = Of("""{"messages":[{"role":"user","content":"hi"}]}""");
        var with = Of("""{"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function"}]}""");
        Assert.NotEqual(without.Chain[0], with.Chain[0]);

        static PromptText Of(string body) => PromptText.Of(InferenceEndpoint.ChatCompletions, JsonObjectBytes.Parse(Encoding.UTF8.GetBytes(body), 64));
    }

    [Fact]
    public void A_huge_prompt_costs_a_bounded_chain() => Assert.Equal(4096, TestNodes.Chat(new string('z', 4 << 20)).Prompt.Chain.Count);
}
