using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using NanoAspire.Router.Requests;

namespace NanoAspire.Benchmarks.Routing;

/// <summary>
/// Conversations as chat applications have them: some applications with their own long system prompt, more and less popular; sessions
/// that arrive at random and come back turn by turn with everything said so far. The same for every strategy.
/// </summary>
internal sealed class RoutingTrace
{
    private const int Applications = 40;
    private const int MostTurns = 8;
    private const double SecondsBetweenTurns = 8;

    private RoutingTrace(IReadOnlyList<TracedRequest> requests) => Requests = requests;

    /// <summary>By time of arrival.</summary>
    public IReadOnlyList<TracedRequest> Requests { get; }

    /// <param name="count">Requests.</param>
    /// <param name="requestsPerSecond">Mean rate of arrival.</param>
    /// <param name="seed">The same seed gives the same trace.</param>
    public static RoutingTrace Create(int count, double requestsPerSecond, int seed)
    {
        var random = new Random(seed);
        var prompts = Enumerable.Range(0, Applications).Select(i => Text(random, 1500 + 500 * (i % 13))).ToArray();
        var requests = new List<TracedRequest>();
        var sessionsPerSecond = requestsPerSecond / ((1 + MostTurns) / 2.0);
        var (start, session) = (0.0, 0);
        while (requests.Count < count)
        {
            start += Exponential(random, 1 / sessionsPerSecond);
            var messages = new JsonArray(Message("system", prompts[Zipf(random)]));
            var at = start;
            var turns = random.Next(1, MostTurns + 1);
            for (var turn = 0; turn < turns; turn++)
            {
                messages.Add((JsonNode)Message("user", Text(random, random.Next(80, 1200))));
                var answer = random.Next(20, 200);
                requests.Add(new TracedRequest(TimeSpan.FromSeconds(at), Parse(messages, session), answer));
                messages.Add((JsonNode)Message("assistant", Text(random, answer * 4)));
                at += Exponential(random, SecondsBetweenTurns);
            }
            session++;
        }
        return new([.. requests.OrderBy(request => request.At).Take(count)]);
    }

    private static InferenceRequest Parse(JsonArray messages, int session)
    {
        var headers = new HeaderDictionary { ["x-session-id"] = $"s{session}" };
        var body = new JsonObject { ["model"] = "m", ["messages"] = messages.DeepClone() };
        return InferenceRequest.Parse(InferenceEndpoint.ChatCompletions, Encoding.UTF8.GetBytes(body.ToJsonString()), 64, "r", headers);
    }

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };

    private static string Text(Random random, int length) => string.Create(length, random, static (text, random) =>
    {
        for (var i = 0; i < text.Length; i++) text[i] = (char)('a' + random.Next(26));
    });

    private static double Exponential(Random random, double mean) => -mean * Math.Log(1 - random.NextDouble());

    /// <summary>The first applications are the popular ones: the n-th is used 1/n as often as the first.</summary>
    private static int Zipf(Random random)
    {
        var total = Enumerable.Range(1, Applications).Sum(static n => 1.0 / n);
        var draw = random.NextDouble() * total;
        for (var n = 1; n < Applications; n++)
            if ((draw -= 1.0 / n) < 0) return n - 1;
        return Applications - 1;
    }
}

/// <param name="At">Time of arrival.</param>
/// <param name="Request">As the router sees it.</param>
/// <param name="AnswerTokens">Tokens that the answer will have.</param>
internal sealed record TracedRequest(TimeSpan At, InferenceRequest Request, int AnswerTokens);
