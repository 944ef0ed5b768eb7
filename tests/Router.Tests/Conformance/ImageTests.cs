using System.Net;
using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;
using static NanoAspire.Router.Tests.Fixtures.Pictures;

namespace NanoAspire.Router.Tests.Conformance;

/// <summary>Requests with images: an encoder first, then the engine that computes the prompt, which gets the encoder's slots.</summary>
public sealed class ImageTests : ImageEngines
{
    [Fact]
    public async Task Images_are_encoded_before_the_prompt_and_their_slots_are_freed_after_it()
    {
        var gate = new TaskCompletionSource();
        _decode.Answer = Replies.HelloThen(async http =>
        {
            await gate.Task;
            await Replies.SendAsync(http, Replies.Chunk("""{"content":" world"}""") + Replies.Chunk("{}", "stop") + "data: [DONE]\n\n");
        });
        await using var router = await TestRouter.StartAsync(_encoder, _prefill, _decode);

        using var response = await router.ChatAsync(Chat([Red], stream: true), headers: ("x-request-id", "r-1"));
        await using var events = await SseReader.OpenAsync(response);
        await events.NextAsync();
        await _encoder.SeenAsync(encoder => encoder.Frees.Count == 1);   // the prompt is computed: nothing waits for the answer's end
        gate.SetResult();
        Assert.Equal("hello world", SseReader.Content(await events.RestAsync()));

        var encoded = Assert.Single(_encoder.Encoded);
        Assert.Equal("r-1", encoded.Headers["x-request-id"]);
        Assert.Equal("r-1", (string?)encoded.Body["request_id"]);
        Assert.Equal("m1", (string?)encoded.Body["model"]);
        var image = Assert.Single((JsonArray)encoded.Body["images"]!)!;
        Assert.Equal(DigestOf(Red), (string?)image["digest"]);
        Assert.Equal(UrlOf(Red), (string?)image["url"]);

        var prefilled = Assert.Single(_prefill.Completions).Body;
        var slot = Assert.Single((JsonArray)prefilled["vision_slots"]!)!;
        Assert.Equal((_encoder.Id, 1), ((string?)slot["encoder_engine_id"], (int)slot["slot_id"]!));
        Assert.True(prefilled["kv_transfer_params"]!["do_remote_decode"]!.GetValue<bool>());
        Assert.Equal($"urn:{DigestOf(Red)}", (string?)prefilled["messages"]![0]!["content"]![1]!["image_url"]!["url"]);
        Assert.Equal("look", (string?)prefilled["messages"]![0]!["content"]![0]!["text"]);

        var decoded = Assert.Single(_decode.Completions).Body;
        Assert.Null(decoded["vision_slots"]);
        Assert.DoesNotContain("base64", _decode.Completions[0].Text);   // no pixel goes where none is needed
        await router.QuietAsync();
        Assert.Equal("""{"slot_ids":[1]}""", Assert.Single(_encoder.Freed));
    }

    [Fact]
    public async Task Several_images_keep_their_order_and_the_same_one_is_encoded_once()
    {
        await using var other = await ScriptedEngine.StartAsync(EngineRole.Encoder);
        await using var router = await TestRouter.StartAsync(_encoder, other, _prefill, _decode);

        using var response = await router.ChatAsync(Chat([Red, Blue, Red]));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(2, _encoder.Encoded.Count + other.Encoded.Count);
        var slots = (JsonArray)Assert.Single(_prefill.Completions).Body["vision_slots"]!;
        Assert.Equal([DigestOf(Red), DigestOf(Blue), DigestOf(Red)], slots.Select(slot => (string?)slot!["digest"]));
        Assert.Equal(slots[0]!["slot_id"]!.ToJsonString() + slots[0]!["encoder_engine_id"], slots[2]!["slot_id"]!.ToJsonString() + slots[2]!["encoder_engine_id"]);
        await router.QuietAsync();
        Assert.Equal(2, _encoder.Freed.Concat(other.Freed).Sum(freed => ((JsonArray)JsonNode.Parse(freed)!["slot_ids"]!).Count));
    }

    [Fact]
    public async Task A_hybrid_engine_gets_the_slots_too()
    {
        await using var hybrid = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: ["vision_slots"]);
        await using var blind = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(_encoder, hybrid, blind);
        for (var i = 0; i < 3; i++)
        {
            using var response = await router.ChatAsync(Chat([Red]));
            Assert.Equal("hello world", (string?)(await TestRouter.JsonAsync(response))["choices"]![0]!["message"]!["content"]);
        }
        Assert.Equal(3, hybrid.Completions.Count(request => request.Body["vision_slots"] is JsonArray { Count: 1 }));
        Assert.Empty(blind.Completions);   // it could not read the slots
        await router.QuietAsync();
        Assert.Equal(3, _encoder.Freed.Sum(freed => ((JsonArray)JsonNode.Parse(freed)!["slot_ids"]!).Count));
    }

    [Fact]
    public async Task Text_never_sees_an_encoder()
    {
        await using var router = await TestRouter.StartAsync(_encoder, _prefill, _decode);
        using var plain = await router.ChatAsync();
        using var parts = await router.ChatAsync("""{"model":"m1","vision_slots":[{"slot_id":9}],"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}""");
        Assert.Equal(HttpStatusCode.OK, parts.StatusCode);
        Assert.Empty(_encoder.Encoded);
        Assert.All(_prefill.Completions.Concat(_decode.Completions), request => Assert.Null(request.Body["vision_slots"]));   // a client's own would name others' images
    }

    [Fact]
    public async Task Without_an_encoder_the_client_is_told_to_come_back_and_no_prompt_is_computed()
    {
        await using var router = await TestRouter.StartAsync(_prefill, _decode);
        using var response = await router.ChatAsync(Chat([Red]));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.True(response.Headers.RetryAfter is not null);
        var error = (await TestRouter.JsonAsync(response))["error"]!;
        Assert.Equal("no_capacity", (string?)error["code"]);
        Assert.Contains("encoder", (string?)error["message"]);
        Assert.Empty(_prefill.Completions);
        await router.QuietAsync();
    }

    [Fact]
    public async Task Engines_that_read_no_slots_get_the_images_as_they_came()
    {
        await using var hybrid = await ScriptedEngine.StartAsync();
        await using var router = await TestRouter.StartAsync(_encoder, hybrid);
        var body = Chat([Red]);
        using var response = await router.ChatAsync(body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(body, Assert.Single(hybrid.Completions).Text);
        Assert.Empty(_encoder.Encoded);
    }

    [Fact]
    public async Task An_encoder_alone_makes_no_model()
    {
        await using var router = await TestRouter.StartAsync(_encoder);
        using var response = await router.ChatAsync(Chat([Red]));
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Empty((JsonArray)JsonNode.Parse(await router.Client.GetStringAsync("/v1/models"))!["data"]!);
    }

    [Theory]
    [InlineData("dead")]
    [InlineData("500")]
    [InlineData("503")]
    [InlineData("nonsense")]
    public async Task An_encoder_that_fails_is_replaced(string how)
    {
        await using var second = await ScriptedEngine.StartAsync(EngineRole.Encoder);
        // Whichever of the two is asked first fails, the other one does not.
        var failed = 0;
        foreach (var encoder in (ScriptedEngine[])[_encoder, second])
        {
            var well = encoder.Answer;
            encoder.Answer = (http, request) => Interlocked.Exchange(ref failed, 1) == 1 ? well(http, request) : how switch
            {
                "dead" => Replies.Death(http, request),
                "nonsense" => Replies.Json(200, """{"vision_slots":[{}]}""")(http, request),
                _ => Replies.Error(int.Parse(how, System.Globalization.CultureInfo.InvariantCulture))(http, request),
            };
        }
        await using var router = await TestRouter.StartAsync(_encoder, second, _prefill, _decode);
        using var response = await router.ChatAsync(Chat([Red]));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal((1, 1), (_encoder.Encoded.Count, second.Encoded.Count));
        Assert.Equal(how == "503" ? 0 : 1, router.NodeOf(_encoder).Breaker.Failures + router.NodeOf(second).Breaker.Failures);
        await router.QuietAsync();
        Assert.Single(_encoder.Frees.Concat(second.Frees));
    }

    [Fact]
    public async Task When_every_encoder_fails_the_client_gets_502()
    {
        _encoder.Answer = Replies.Error(500, message: "out of memory");
        await using var router = await TestRouter.StartAsync(_encoder, _prefill, _decode);
        using var response = await router.ChatAsync(Chat([Red]));
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("node_failed", await TestRouter.ErrorCodeAsync(response));
        Assert.Empty(_prefill.Completions);
    }

    [Fact]
    public async Task An_encoder_that_takes_too_long_ends_in_504()
    {
        _encoder.Answer = static (http, _) => Replies.ForeverAsync(http);
        await using var router = await TestRouter.StartAsync(
            TestRouter.Defaults with { Deadlines = TestRouter.Defaults.Deadlines with { Encode = TimeSpan.FromSeconds(0.5) } }, _encoder, _prefill, _decode);
        using var response = await router.ChatAsync(Chat([Red]));
        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        foreach (var encoded in _encoder.Encoded) await encoded.Aborted;   // one at most: a busy machine may not even have got there
        await router.QuietAsync();
    }

    [Fact]
    public async Task An_encoders_refusal_is_the_clients_and_the_other_images_are_freed()
    {
        var well = _encoder.Answer;
        var redHeld = new TaskCompletionSource();
        _encoder.Answer = async (http, request) =>
        {
            if ((string?)request.Body["images"]![0]!["digest"] == DigestOf(Blue))
            {
                await redHeld.Task;
                await Replies.Error(400, "invalid_request_error", "invalid_image", "no picture in it")(http, request);
                return;
            }
            await well(http, request);
            await http.Response.CompleteAsync();
            redHeld.SetResult();
        };
        await using var router = await TestRouter.StartAsync(_encoder, _prefill, _decode);
        using var response = await router.ChatAsync(Chat([Red, Blue]));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_image", await TestRouter.ErrorCodeAsync(response));
        Assert.Empty(_prefill.Completions);
        Assert.Equal(0, router.NodeOf(_encoder).Breaker.Failures);
        await router.QuietAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Slots_that_the_engine_cannot_read_are_encoded_again_on_another_encoder(bool disaggregated)
    {
        await using var second = await ScriptedEngine.StartAsync(EngineRole.Encoder);
        await using var hybrid = await ScriptedEngine.StartAsync(EngineRole.Hybrid, capabilities: ["vision_slots"]);
        var reader = disaggregated ? _prefill : hybrid;
        var well = reader.Answer;
        var asked = 0;
        reader.Answer = (http, request) => Interlocked.Increment(ref asked) == 1 ? Replies.Error(503, "vision_transfer_error", "vision_slot_lost")(http, request) : well(http, request);
        await using var router = await TestRouter.StartAsync(disaggregated ? [_encoder, second, _prefill, _decode] : [_encoder, second, hybrid]);

        using var response = await router.ChatAsync(Chat([Red]));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal((1, 1), (_encoder.Encoded.Count, second.Encoded.Count));
        Assert.Equal(2, reader.Completions.Count);
        Assert.NotEqual(
            (string?)reader.Completions[0].Body["vision_slots"]![0]!["encoder_engine_id"], (string?)reader.Completions[1].Body["vision_slots"]![0]!["encoder_engine_id"]);
        Assert.Equal(0, router.NodeOf(reader).Breaker.Failures);
        await router.QuietAsync();
        Assert.Equal((1, 1), (_encoder.Frees.Count, second.Frees.Count));
    }

    [Fact]
    public async Task A_prompt_that_is_computed_again_has_its_images_encoded_again()
    {
        _decode.Answer = async (http, request) =>
        {
            if (_decode.Completions.Count == 1) await Replies.Error(503, "kv_transfer_error", "lease_expired")(http, request);
            else await Replies.HelloWorld(http, request);
        };
        await using var router = await TestRouter.StartAsync(_encoder, _prefill, _decode);
        using var response = await router.ChatAsync(Chat([Red]));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([1, 2], _prefill.Completions.Select(request => (int)request.Body["vision_slots"]![0]!["slot_id"]!));
        await router.QuietAsync();
        Assert.Equal(["1", "2"], _encoder.Freed.SelectMany(freed => ((JsonArray)JsonNode.Parse(freed)!["slot_ids"]!).Select(id => id!.ToJsonString())));
    }

    [Fact]
    public async Task A_client_that_leaves_while_its_image_is_encoded_stops_the_encoder()
    {
        _encoder.Answer = static (http, _) => Replies.ForeverAsync(http);
        await using var router = await TestRouter.StartAsync(_encoder, _prefill, _decode);
        using var leaving = new CancellationTokenSource();
        var request = router.ChatAsync(Chat([Red]), ct: leaving.Token);
        await _encoder.SeenAsync(encoder => encoder.Encoded.Count == 1);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await _encoder.Encoded[0].Aborted;
        await router.QuietAsync();
        Assert.Empty(_prefill.Completions);
        Assert.Equal(0, router.NodeOf(_encoder).Breaker.Failures);
    }

    [Fact]
    public async Task A_client_that_leaves_during_prefill_has_its_slots_freed()
    {
        _prefill.Answer = static (http, _) => Replies.ForeverAsync(http);
        await using var router = await TestRouter.StartAsync(_encoder, _prefill, _decode);
        using var leaving = new CancellationTokenSource();
        var request = router.ChatAsync(Chat([Red]), ct: leaving.Token);
        await _prefill.SeenAsync(prefill => prefill.Completions.Count == 1);
        Assert.Empty(_encoder.Frees);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await _encoder.SeenAsync(encoder => encoder.Frees.Count == 1);
        await router.QuietAsync();
        Assert.Empty(_decode.Completions);
    }
}
