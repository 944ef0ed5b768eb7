using System.Net;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Images;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;
using static NanoAspire.Router.Tests.Fixtures.Pictures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Which images are taken, from where, and which encoder gets them.</summary>
public sealed class ImageRuleTests : ImageEngines
{
    [Theory]
    [InlineData("http://169.254.169.254/latest", "remote_image_refused")]
    [InlineData("https://example.com/cat.png", "remote_image_refused")]
    [InlineData("file:///etc/passwd", "invalid_image")]
    [InlineData("/etc/passwd", "invalid_image")]
    [InlineData("", "invalid_image")]
    [InlineData("data:text/plain;base64,AAAA", "invalid_image")]
    [InlineData("data:image/png,AAAA", "invalid_image")]
    [InlineData("data:image/png;base64,", "invalid_image")]
    [InlineData("data:image/png;base64,A!AA", "invalid_image")]
    [InlineData("data:image/png;base64", "invalid_image")]
    [InlineData("data:image/png;base64,AAAAAAAAAAAAAAAAAAAAAAAA", "image_too_large")]
    public async Task What_is_no_image_within_the_bounds_is_refused_with_its_place(string url, string code)
    {
        await using var hybrid = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { Images = new ImageOptions { MaxBytes = 12 } }, _encoder, _prefill, _decode, hybrid);
        using var response = await router.ChatAsync($$$"""{"model":"m1","messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"{{{url}}}"}}]}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = (await TestRouter.JsonAsync(response))["error"]!;
        Assert.Equal((code, "messages[1].content[0].image_url.url", "invalid_request_error"), ((string?)error["code"], (string?)error["param"], (string?)error["type"]));
        Assert.Empty(_encoder.Encoded);
        Assert.Empty(hybrid.Completions);
    }

    [Fact]
    public async Task No_address_of_any_medium_leads_an_engine_astray()
    {
        await using var hybrid = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(hybrid);
        foreach (var part in (string[])["""{"type":"video_url","video_url":{"url":"http://10.0.0.1/v"}}""", """{"type":"audio_url","audio_url":{"url":"http://10.0.0.1/a"}}""",
            """{"type":"image_url","image_url":"http://10.0.0.1/i"}""", """{"type":"image","image":"file:///i"}""", """{"type":"input_image","image_url":"http://10.0.0.1/i"}"""])
        {
            using var response = await router.ChatAsync($$"""{"model":"m1","messages":[{"role":"user","content":[{{part}}]}]}""");
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
        Assert.Empty(hybrid.Completions);
    }

    [Fact]
    public async Task Too_many_images_are_refused()
    {
        await using var router = await TestRouter.StartAsync(TestRouter.Defaults with { Images = new ImageOptions { MaxCount = 2 } }, _encoder, _prefill, _decode);
        using var response = await router.ChatAsync(Chat([Red, Red, Red]));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("too_many_images", await TestRouter.ErrorCodeAsync(response));
        Assert.Empty(_encoder.Encoded);
    }

    [Fact]
    public async Task An_allowed_host_is_asked_by_the_router_itself()
    {
        await using var pictures = await PictureHost.StartAsync(Red);
        var options = TestRouter.Defaults with { Images = new ImageOptions { Hosts = [new Uri(pictures.Url).Authority] } };
        await using var router = await TestRouter.StartAsync(options, _encoder, _prefill, _decode);

        using var response = await router.ChatAsync(ChatOf($"{pictures.Url}/red.png"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(UrlOf(Red), (string?)Assert.Single(_encoder.Encoded).Body["images"]![0]!["url"]);
        Assert.Equal(DigestOf(Red), (string?)_encoder.Encoded[0].Body["images"]![0]!["digest"]);

        foreach (var path in (string[])["missing", "page.html", "elsewhere"])
        {
            using var refused = await router.ChatAsync(ChatOf($"{pictures.Url}/{path}"));
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Equal("invalid_image", await TestRouter.ErrorCodeAsync(refused));
        }
        Assert.DoesNotContain("/secret", pictures.Asked);   // no redirect is followed
        Assert.Single(_encoder.Encoded);
    }

    [Fact]
    public void The_same_image_goes_to_the_same_encoder_while_that_is_not_too_busy()
    {
        var encoders = TestNodes.Create("a", "b", "c");
        string[] digests = [.. Enumerable.Range(0, 300).Select(i => $"sha256:{i}")];
        var homes = digests.Select(digest => ImageAffinity.Rank(digest, encoders)[0]).ToArray();
        Assert.Equal(homes, digests.Select(digest => ImageAffinity.Rank(digest, encoders)[0]));
        Assert.All(encoders, encoder => Assert.InRange(homes.Count(home => home == encoder), 60, 140));

        var stayed = digests.Where((digest, i) => homes[i] != encoders[2] && ImageAffinity.Rank(digest, encoders[..2])[0] == homes[i]).Count();
        Assert.Equal(homes.Count(home => home != encoders[2]), stayed);   // only the share of the one that left moves

        homes[0].Occupy(10);
        Assert.NotSame(homes[0], ImageAffinity.Rank(digests[0], encoders)[0]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3 << 14)]
    [InlineData((3 << 14) + 1)]
    [InlineData(200_001)]
    public void A_digest_is_that_of_the_bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        Assert.Equal(DigestOf(bytes), DataUrl.Digest(System.Text.Encoding.ASCII.GetBytes(UrlOf(bytes))));
        var wrapped = $"data:image/png;base64,{Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks)}";
        Assert.Equal(DigestOf(bytes), DataUrl.Digest(System.Text.Encoding.ASCII.GetBytes(wrapped)));
    }
}
