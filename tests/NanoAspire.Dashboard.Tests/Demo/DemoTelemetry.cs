using NanoAspire.Dashboard.Metrics;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Tests.Demo;

/// <summary>Telemetry as the services send it: requests through router, prefill, transfer and decode, and five minutes of metrics.</summary>
internal sealed class DemoTelemetry
{
    private readonly TelemetryStore _store;
    private readonly Random _random = new(7);
    private readonly DateTimeOffset _now;
    private int _ids;

    private DemoTelemetry(TelemetryStore store, DateTimeOffset now)
    {
        (_store, _now) = (store, now);
        Router = Process("router", "mzkqwxyt");
        Ctrl = Process("ctrl", "bqhwplma");
        Prefill = Process("prefill", "tnvkdsre");
        Decodes = [Process("decode", "hqzkwmtb"), Process("decode", "vxrpcjna")];
    }

    public TelemetryResource Router { get; }
    public TelemetryResource Ctrl { get; }
    public TelemetryResource Prefill { get; }
    public TelemetryResource[] Decodes { get; }

    public static DemoTelemetry Fill(TelemetryStore store, DateTimeOffset now)
    {
        var demo = new DemoTelemetry(store, now);
        for (var i = 14; i >= 1; i--)
        {
            if (i % 5 == 0) demo.Registration(now.AddSeconds(-i * 9.4));
            demo.Chat(now.AddSeconds(-i * 9), tokens: 60 + (i * 13 % 90), decode: demo.Decodes[i % 2], fails: i == 6);
        }
        demo.FeaturedTrace = demo.Chat(now.AddSeconds(-2.2), tokens: 128, decode: demo.Decodes[0], fails: false);
        demo.Metrics();
        return demo;
    }

    public string FeaturedTrace { get; private set; } = "";

    /// <summary>One chat completion; returns its trace id.</summary>
    public string Chat(DateTimeOffset start, int tokens, TelemetryResource decode, bool fails)
    {
        var trace = Id(16);
        var prompt = 212 + (tokens % 60);
        double Ms(double value) => value * (0.85 + (0.3 * _random.NextDouble()));
        var (tokenize, queue, prefill, pull, step) = (Ms(1.6), Ms(3), Ms(64), Ms(11), Ms(5.4));
        var spans = new List<Span>();
        Span Add(TelemetryResource process, string scope, string name, SpanKind kind, Span? parent, double from, double length, OtlpAttribute[] attributes, SpanLink[]? links = null, string? error = null, SpanEvent[]? events = null)
        {
            var span = new Span
            {
                Resource = process, Scope = scope, TraceId = trace, SpanId = Id(8), ParentId = parent?.SpanId, Name = name, Kind = kind,
                Start = At(start, from), End = At(start, from + length), Attributes = attributes, Links = links ?? [], Events = events ?? [],
                Status = error is null ? SpanStatus.Unset : SpanStatus.Error, StatusMessage = error,
            };
            spans.Add(span);
            return span;
        }

        var prefillEnds = 6 + tokenize + queue + prefill;
        var decodeLasts = fails ? 40 : pull + 4 + (step * tokens);
        var total = prefillEnds + 8 + decodeLasts + 3;
        var root = Add(Router, "Microsoft.AspNetCore", "POST /v1/chat/completions", SpanKind.Server, null, 0, total, Http("POST", "/v1/chat/completions", fails ? 502 : 200, 8080), error: fails ? "" : null);
        Add(Router, "NanoAspire.Router", "route", SpanKind.Internal, root, 0.7, 1.1, [new("router.policy", "prefix_aware"), new("router.candidates", 3L), new("router.prefix_hit_blocks", 2L)]);
        var toPrefill = Add(Router, "System.Net.Http", "POST", SpanKind.Client, root, 2.1, prefillEnds, Client("POST", 43817, 200));
        var atPrefill = Add(Prefill, "Microsoft.AspNetCore", "POST /v1/chat/completions", SpanKind.Server, toPrefill, 2.9, prefillEnds - 1.5, Http("POST", "/v1/chat/completions", 200, 43817));
        var chat = Add(Prefill, "NanoAspire.Engine.Server", "chat nano-demo", SpanKind.Internal, atPrefill, 3.6, prefillEnds - 2.8, GenAi(prompt, 1, "prefill"));
        Add(Prefill, "NanoAspire.Engine.Server", "tokenize", SpanKind.Internal, chat, 3.8, tokenize, [new("tokens", (long)prompt)]);
        Add(Prefill, "NanoAspire.Engine.Server", "queue", SpanKind.Internal, chat, 4 + tokenize, queue, []);
        var computed = Add(Prefill, "NanoAspire.Engine.Server", "prefill", SpanKind.Internal, chat, 4.2 + tokenize + queue, prefill, [new("gen_ai.usage.input_tokens", (long)prompt), new("gen_ai.usage.cached_tokens", 128L), new("kv.blocks", 4L)]);
        var from = prefillEnds + 4;
        var toDecode = Add(Router, "System.Net.Http", "POST", SpanKind.Client, root, from, decodeLasts + 6, Client("POST", 43821, fails ? 500 : 200), error: fails ? "500" : null);
        var atDecode = Add(decode, "Microsoft.AspNetCore", "POST /v1/chat/completions", SpanKind.Server, toDecode, from + 0.8, decodeLasts + 4.6, Http("POST", "/v1/chat/completions", fails ? 500 : 200, 43821), error: fails ? "" : null);
        var generation = Add(decode, "NanoAspire.Engine.Server", "chat nano-demo", SpanKind.Internal, atDecode, from + 1.6, decodeLasts + 3, GenAi(prompt, fails ? 0 : tokens, "decode"),
            error: fails ? "the lease of the hand-off has expired" : null,
            events: fails ? [new SpanEvent(At(start, from + 38), "exception", [new("exception.type", "KvTransferException"), new("exception.message", "the lease of the hand-off has expired"), new("exception.stacktrace", "at KvPuller.PullAsync\n   at ChatService.RunAsync")])] : []);
        Add(decode, "NanoAspire.Engine", "kv.pull", SpanKind.Client, generation, from + 2.2, fails ? 36 : pull,
            [new("kv.source", "dlengine-nano-demo-127.0.0.1:43817"), new("kv.transport", "tcp"), new("kv.blocks", 4L), new("kv.bytes", fails ? 0L : 4L * 131072)],
            [new SpanLink(trace, computed.SpanId, [])], fails ? "lease_expired" : null);
        if (!fails) Add(decode, "NanoAspire.Engine.Server", "decode", SpanKind.Internal, generation, from + 2.6 + pull, step * tokens, [new("gen_ai.usage.output_tokens", (long)tokens)]);
        _store.Add(spans);

        List<LogRecord> logs =
        [
            Log(Router, "NanoAspire.Router", 9, "nano-demo goes to prefill, then decode", At(start, 1.6), root),
            Log(Prefill, "NanoAspire.Engine", 9, $"Parked 4 blocks of {prompt} tokens for 30s", At(start, prefillEnds - 1), chat),
            fails ? Log(decode, "NanoAspire.Engine.Transfer", 17, "Pull from prefill failed: lease_expired", At(start, from + 38), generation) : Log(decode, "NanoAspire.Engine.Transfer", 5, $"Pulled 512 KiB in {pull:0.0} ms", At(start, from + 2.2 + pull), generation),
        ];
        if (fails) logs.Add(Log(Router, "NanoAspire.Router", 13, "decode answered 500, the request is prefilled again", At(start, total - 2), root));
        _store.Add(logs);
        return trace;
    }

    private void Registration(DateTimeOffset start)
    {
        var trace = Id(16);
        var root = new Span
        {
            Resource = Ctrl, Scope = "Microsoft.AspNetCore", TraceId = trace, SpanId = Id(8), Name = "POST /register_engine", Kind = SpanKind.Server,
            Start = At(start, 0), End = At(start, 2.9), Attributes = Http("POST", "/register_engine", 200, 4479),
        };
        Span Redis(string command, double from, double length) => new()
        {
            Resource = Ctrl, Scope = "NanoAspire.Ctrl", TraceId = trace, SpanId = Id(8), ParentId = root.SpanId, Name = command, Kind = SpanKind.Client, Start = At(start, from), End = At(start, from + length),
            Attributes = [new("db.system.name", "redis"), new("db.operation.name", command), new("server.address", "localhost"), new("server.port", 41379L)],
        };
        _store.Add([root, Redis("EVALSHA", 0.6, 0.9), Redis("PUBLISH", 1.7, 0.4)]);
    }

    private void Metrics()
    {
        const int Seconds = 300;
        foreach (var (process, role) in new[] { (Prefill, "prefill"), (Decodes[0], "decode"), (Decodes[1], "decode") })
        {
            double prompt = 0, hits = 0, output = 0, pulled = 0;
            var (first, gap) = (new long[17], new long[14]);
            double[] firstBounds = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10], gapBounds = [0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5];
            for (var s = Seconds; s >= 0; s--)
            {
                var wave = 1 + (0.45 * Math.Sin((Seconds - s) / 23d)) + (0.2 * Math.Sin((Seconds - s) / 7d)) + (0.16 * _random.NextDouble());
                var isPrefill = role == "prefill";
                var share = process == Decodes[1] ? 0.82 : 1;
                prompt += isPrefill ? Math.Round(640 * wave) : 0;
                hits += isPrefill ? Math.Round(270 * wave * (0.8 + (0.4 * _random.NextDouble()))) : 0;
                output += Math.Round(isPrefill ? 3 * wave : 182 * wave * share);
                pulled += isPrefill ? 0 : Math.Round(1.4e6 * wave);
                first[_random.Next(100) switch { < 8 => 4, < 55 => 6, < 88 => 7, < 98 => 8, _ => 9 }] += isPrefill ? 3 : 0;
                for (var i = 0; i < 10; i++) gap[_random.Next(1000) switch { < 120 => 4, < 640 => 5, < 900 => 6, < 985 => 7, < 997 => 8, _ => 9 }] += isPrefill ? 0 : 9;
                var time = Nanoseconds.From(_now.AddSeconds(-s));
                var used = Math.Round((isPrefill ? 38 : 190 * share) * wave);
                MetricData Number(string meter, string name, string unit, MetricShape shape, params (double Value, string? Label, string? Text)[] points) => new()
                {
                    Resource = process, Meter = meter, Name = name, Unit = unit, Shape = shape, IsMonotonic = shape == MetricShape.Sum, Description = "",
                    Points = [.. points.Select(p => new MetricPointData(time, p.Label is null ? [] : [new OtlpAttribute(p.Label, p.Text)], p.Value))],
                };
                MetricData Histogram(string name, string description, long[] buckets, double[] bounds) => new()
                {
                    Resource = process, Meter = "NanoAspire.Engine", Name = name, Unit = "s", Shape = MetricShape.Histogram, Description = description,
                    Points = [new MetricPointData(time, [new OtlpAttribute("gen_ai.request.model", "nano-demo")], buckets.Sum() * 0.06, buckets.Sum(), [.. buckets], bounds)],
                };
                List<MetricData> metrics =
                [
                    Number("NanoAspire.Engine", "requests_running", "{request}", MetricShape.Gauge, (Math.Round((isPrefill ? 1.4 : 7 * share) * wave), null, null)),
                    Number("NanoAspire.Engine", "requests_waiting", "{request}", MetricShape.Gauge, (Math.Max(0, Math.Round((wave - 1.2) * (isPrefill ? 5 : 3))), null, null)),
                    Number("NanoAspire.Engine", "kv_blocks", "{block}", MetricShape.Gauge, (used, "state", "used"), (isPrefill ? Math.Round(26 * wave) : 0, "state", "parked"), (120, "state", "cached"), (512 - used - (isPrefill ? Math.Round(26 * wave) : 0) - 120, "state", "free")),
                    Number("NanoAspire.Engine", "tokens_total", "{token}", MetricShape.Sum, (prompt, "kind", "prompt"), (output, "kind", "completion")),
                    Number("NanoAspire.Engine", "prefix_hit_tokens_total", "{token}", MetricShape.Sum, (hits, null, null)),
                    Number("NanoAspire.Transfer", "nanoaspire.transfer.bytes", "By", MetricShape.Sum, (pulled, "transport", "tcp")),
                    Number("System.Runtime", "dotnet.process.memory.working_set", "By", MetricShape.Gauge, (1.9e8 + (3e6 * wave), null, null)),
                    Number("System.Runtime", "dotnet.gc.collections", "{collection}", MetricShape.Sum, (Seconds - s, "gc.heap.generation", "gen0")),
                ];
                if (first.Sum() > 0) metrics.Add(Histogram("gen_ai.server.time_to_first_token", "Submission to first sampled token", first, firstBounds));
                if (gap.Sum() > 0) metrics.Add(Histogram("itl_seconds", "Gap between two tokens of a sequence", gap, gapBounds));
                _store.Add(metrics);
            }
        }
    }

    private TelemetryResource Process(string name, string instance) => _store.Resources.Intern(
        [new("service.name", name), new("service.instance.id", instance), new("service.version", "0.1.0"), new("telemetry.sdk.language", "dotnet"), new("telemetry.sdk.name", "opentelemetry")]);

    private static LogRecord Log(TelemetryResource process, string category, int severity, string message, ulong time, Span span) => new()
    {
        Resource = process, Scope = category, SeverityNumber = severity, Message = message, Time = time, TraceId = span.TraceId, SpanId = span.SpanId,
        Attributes = [new("{OriginalFormat}", message)],
    };

    private static OtlpAttribute[] Http(string method, string path, long status, long port) =>
    [
        new("http.request.method", method), new("url.scheme", "http"), new("url.path", path), new("http.route", path), new("http.response.status_code", status),
        new("server.address", "localhost"), new("server.port", port), new("network.protocol.version", "1.1"),
    ];

    private static OtlpAttribute[] Client(string method, long port, long status) =>
        [new("http.request.method", method), new("server.address", "localhost"), new("server.port", port), new("url.full", $"http://localhost:{port}/v1/chat/completions"), new("http.response.status_code", status), new("network.protocol.version", "1.1")];

    private static OtlpAttribute[] GenAi(long input, long output, string role) =>
    [
        new("gen_ai.operation.name", "chat"), new("gen_ai.provider.name", "nanoaspire"), new("gen_ai.request.model", "nano-demo"), new("gen_ai.request.max_tokens", 256L), new("gen_ai.request.temperature", 0.7),
        new("gen_ai.usage.input_tokens", input), new("gen_ai.usage.output_tokens", output), new("gen_ai.response.finish_reasons", new OtlpValue[] { new("stop") }), new("nanoaspire.engine.role", role),
    ];

    private static ulong At(DateTimeOffset start, double milliseconds) => Nanoseconds.From(start.AddMilliseconds(milliseconds));

    /// <summary>Spread over all digits, and the same in every run.</summary>
    private string Id(int bytes) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(++_ids)))[..(bytes * 2)];
}
