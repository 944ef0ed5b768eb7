using System.Text;
using Microsoft.AspNetCore.Http;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Tests.Requests;

public sealed class SessionKeysTests
{
    [Theory]
    [InlineData("""{"user":"u1"}""", "\"u1\"")]
    [InlineData("""{"session_id":5,"user":"u1"}""", "5")]
    [InlineData("""{"session_params":{"session_id":"s"},"session_id":5}""", "\"s\"")]
    [InlineData("""{"session_id":-1}""", null)]
    [InlineData("""{"user":""}""", null)]
    [InlineData("""{"user":null,"user_id":["x"]}""", null)]
    public void The_body_may_name_a_session(string body, string? expected) => Assert.Equal(expected, Of([], body));

    [Fact]
    public void Headers_come_first_and_request_ids_are_no_sessions()
    {
        Assert.Equal("h", Of(new() { ["x-session-id"] = "h", ["x-user-id"] = "v" }, """{"user":"u1"}"""));
        Assert.Null(Of(new() { ["x-request-id"] = "r", ["traceparent"] = "t" }, "{}"));
    }

    private static string? Of(HeaderDictionary headers, string body) => SessionKeys.Of(headers, JsonObjectBytes.Parse(Encoding.UTF8.GetBytes(body), 64));
}
