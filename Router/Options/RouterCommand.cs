using System.CommandLine;
using System.Globalization;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;

namespace NanoAspire.Router.Options;

/// <summary>The command line, in kebab-case; the snake_case spellings of older routers work too.</summary>
internal static class RouterCommand
{
    private const string KeyVariable = "NANOASPIRE_API_KEY";
    private const string CtrlTokenVariable = "NANOASPIRE_CTRL_TOKEN";
    private const string CtrlVariable = "services__ctrl__http__0";
    private const string DefaultCtrl = "localhost:4479";

    private static readonly Option<string> Host = Named<string>("--host", "Interface to listen on (default 127.0.0.1)", "--server_name");
    private static readonly Option<int?> Port = Named<int?>("--port", "Port to listen on (default: the host's configuration, else 8080)", "--server_port");
    private static readonly Option<string?> CtrlAddress = Named<string?>("--ctrl-address", $"Control plane, host:port (default: service discovery, else {DefaultCtrl}); 'none' for none", "--ctrl_address");
    private static readonly Option<string?> CtrlScope = Named<string?>("--ctrl-scope", "Scope within the control plane", "--ctrl_scope");
    private static readonly Option<string?> CtrlToken = Named<string?>("--ctrl-token", $"Bearer token of the control plane (default: {CtrlTokenVariable})");
    private static readonly Option<string[]> Engines = Many("--engine", "An engine: [prefill=|decode=|hybrid=|encoder=]URL, several allowed; without --ctrl-address only these are used");
    private static readonly Option<string[]> ApiKeys = Many("--api-key", $"Key that clients must send (default: {KeyVariable}), several allowed", "--api_keys");
    private static readonly Option<string[]> AdminKeys = Many("--admin-key", "Key for /nodes instead of the API keys");
    private static readonly Option<bool> ForwardAuthorization = Named<bool>("--forward-authorization", "Pass the client's Authorization header on to engines");
    private static readonly Option<string?> Strategy = Named<string?>("--strategy", "Routing strategy for all roles", "--routing-strategy", "--routing_strategy");
    private static readonly Option<string?> PrefillStrategy = Named<string?>("--prefill-strategy", "Routing strategy among prefill engines (default prefix_aware)");
    private static readonly Option<string?> DecodeStrategy = Named<string?>("--decode-strategy", "Routing strategy among decode engines (default least_load)");
    private static readonly Option<string?> HybridStrategy = Named<string?>("--hybrid-strategy", "Routing strategy among hybrid engines (default prefix_aware)");
    private static readonly Option<string[]> ModelStrategies = Many("--model-strategy", "MODEL=STRATEGY for one model, several allowed");
    private static readonly Option<bool> NoHybridFallback = Named<bool>("--no-hybrid-fallback", "Do not use hybrid engines when prefill or decode engines are missing or fail");
    private static readonly Option<int?> Retries = Named<int?>("--retries", "Further engines tried before the first byte (default 2)");
    private static readonly Option<int?> Moves = Named<int?>("--migration-limit", "How often a stream may go on at another engine when its own breaks off (default 1)");
    private static readonly Option<string?> ToolCallParser = Named<string?>("--tool-call-parser", "Format of the tool calls of engines that do not parse their answers (default: none)");
    private static readonly Option<string?> ReasoningParser = Named<string?>("--reasoning-parser", "Format of the reasoning of engines that do not parse their answers (default: none)");
    private static readonly Option<bool> MirrorReasoning = Named<bool>("--mirror-reasoning", "Send reasoning that the router tells apart as 'reasoning' too, not only as 'reasoning_content'");
    private static readonly Option<int?> MaxInFlight = Named<int?>("--max-inflight", "Requests of one model served at a time (default: no limit)");
    private static readonly Option<int?> QueueLength = Named<int?>("--queue-length", "Requests of one model that may wait (default 1024)");
    private static readonly Option<double?> QueueWait = Named<double?>("--queue-wait", "Seconds a request may wait (default 30)");
    private static readonly Option<double?> RateLimit = Named<double?>("--rate-limit", "Requests a second for each API key (default: no limit)");
    private static readonly Option<int?> RateBurst = Named<int?>("--rate-burst", "Requests a key may send at once (default 20)");
    private static readonly Option<long?> MaxBody = Named<long?>("--max-body-size", "Bytes a request body may have (default 33554432)");
    private static readonly Option<int?> MaxImages = Named<int?>("--max-images", "Images a request may have (default 16)");
    private static readonly Option<int?> MaxImageBytes = Named<int?>("--max-image-size", "Bytes an image may have (default 20971520)");
    private static readonly Option<string[]> ImageHosts = Many("--allow-image-host", "HOST[:PORT] that images may be fetched from, several allowed (default: none, images come as data: URLs)");
    private static readonly Option<double?> EncodeTimeout = Named<double?>("--encode-timeout", "Seconds an encoder may take for an image (default 60)");
    private static readonly Option<double?> ProbeInterval = Named<double?>("--probe-interval", "Seconds between health probes (default 5)");
    private static readonly Option<int?> BreakerFailures = Named<int?>("--breaker-failures", "Failures in a row that open an engine's breaker (default 5)");
    private static readonly Option<double?> PrefillTimeout = Named<double?>("--prefill-timeout", "Seconds a prefill may take (default 120)");
    private static readonly Option<double?> FirstByteTimeout = Named<double?>("--first-byte-timeout", "Seconds decode may take to begin a stream (default 60)");
    private static readonly Option<double?> SilenceTimeout = Named<double?>("--silence-timeout", "Seconds a stream may be silent (default 60)");
    private static readonly Option<double?> DrainTimeout = Named<double?>("--drain-timeout", "Seconds running requests get when the process stops (default 30)");

    /// <param name="run">What to do with the options.</param>
    /// <param name="environment">Reads an environment variable.</param>
    public static RootCommand Create(Func<RouterOptions, CancellationToken, Task<int>> run, Func<string, string?> environment)
    {
        var command = new RootCommand("OpenAI front door: routes requests to engines and pairs prefill with decode")
        {
            Host, Port, CtrlAddress, CtrlScope, CtrlToken, Engines, ApiKeys, AdminKeys, ForwardAuthorization, Strategy, PrefillStrategy, DecodeStrategy, HybridStrategy,
            ModelStrategies, NoHybridFallback, Retries, Moves, ToolCallParser, ReasoningParser, MirrorReasoning, MaxInFlight, QueueLength, QueueWait, RateLimit, RateBurst, MaxBody, MaxImages, MaxImageBytes, ImageHosts, EncodeTimeout, ProbeInterval, BreakerFailures,
            PrefillTimeout, FirstByteTimeout, SilenceTimeout, DrainTimeout,
        };
        command.SetAction((parsed, ct) => run(Read(parsed, environment), ct));
        return command;
    }

    /// <exception cref="ArgumentException">A value is malformed or out of range.</exception>
    private static RouterOptions Read(ParseResult parsed, Func<string, string?> environment)
    {
        var defaults = new RouterOptions();
        EngineDescriptor[] engines = [.. Values(parsed, Engines).Select(ParseEngine)];
        var options = defaults with
        {
            Host = parsed.GetValue(Host) ?? defaults.Host,
            Port = parsed.GetValue(Port),
            CtrlAddress = Ctrl(parsed.GetValue(CtrlAddress), engines.Length > 0, environment),
            CtrlScope = parsed.GetValue(CtrlScope),
            CtrlToken = parsed.GetValue(CtrlToken) ?? environment(CtrlTokenVariable),
            Engines = engines,
            ApiKeys = Values(parsed, ApiKeys) is { Length: > 0 } keys ? keys : environment(KeyVariable)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [],
            AdminKeys = Values(parsed, AdminKeys),
            ForwardAuthorization = parsed.GetValue(ForwardAuthorization),
            Strategy = ReadStrategy(parsed, defaults.Strategy),
            HybridFallback = !parsed.GetValue(NoHybridFallback),
            Retries = parsed.GetValue(Retries) ?? defaults.Retries,
            Moves = parsed.GetValue(Moves) ?? defaults.Moves,
            Parsing = new ParsingOptions { ToolCalls = parsed.GetValue(ToolCallParser), Reasoning = parsed.GetValue(ReasoningParser), MirrorReasoning = parsed.GetValue(MirrorReasoning) },
            MaxBodyBytes = parsed.GetValue(MaxBody) ?? defaults.MaxBodyBytes,
            DrainTimeout = Seconds(parsed, DrainTimeout, defaults.DrainTimeout),
            Images = defaults.Images with
            {
                MaxCount = parsed.GetValue(MaxImages) ?? defaults.Images.MaxCount,
                MaxBytes = parsed.GetValue(MaxImageBytes) ?? defaults.Images.MaxBytes,
                Hosts = Values(parsed, ImageHosts),
            },
            Admission = defaults.Admission with
            {
                MaxInFlight = parsed.GetValue(MaxInFlight) ?? defaults.Admission.MaxInFlight,
                QueueLength = parsed.GetValue(QueueLength) ?? defaults.Admission.QueueLength,
                QueueWait = Seconds(parsed, QueueWait, defaults.Admission.QueueWait),
                RequestsPerSecond = parsed.GetValue(RateLimit) ?? defaults.Admission.RequestsPerSecond,
                Burst = parsed.GetValue(RateBurst) ?? defaults.Admission.Burst,
            },
            Probe = defaults.Probe with { Interval = Seconds(parsed, ProbeInterval, defaults.Probe.Interval) },
            Breaker = defaults.Breaker with { Failures = parsed.GetValue(BreakerFailures) ?? defaults.Breaker.Failures },
            Deadlines = defaults.Deadlines with
            {
                Encode = Seconds(parsed, EncodeTimeout, defaults.Deadlines.Encode),
                Prefill = Seconds(parsed, PrefillTimeout, defaults.Deadlines.Prefill),
                FirstByte = Seconds(parsed, FirstByteTimeout, defaults.Deadlines.FirstByte),
                Silence = Seconds(parsed, SilenceTimeout, defaults.Deadlines.Silence),
            },
        };
        options.Validate();
        return options;
    }

    private static StrategyOptions ReadStrategy(ParseResult parsed, StrategyOptions defaults)
    {
        var all = parsed.GetValue(Strategy);
        var models = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in Values(parsed, ModelStrategies))
        {
            var split = pair.LastIndexOf('=');
            RouterOptions.Require(split > 0, $"--model-strategy takes MODEL=STRATEGY, not '{pair}'");
            models[pair[..split]] = pair[(split + 1)..];
        }
        return new StrategyOptions
        {
            Prefill = parsed.GetValue(PrefillStrategy) ?? all ?? defaults.Prefill,
            Decode = parsed.GetValue(DecodeStrategy) ?? all ?? defaults.Decode,
            Hybrid = parsed.GetValue(HybridStrategy) ?? all ?? defaults.Hybrid,
            Models = models,
        };
    }

    private static string? Ctrl(string? given, bool staticList, Func<string, string?> environment) => given switch
    {
        "none" => null,
        not null => given,
        _ => environment(CtrlVariable) ?? (staticList ? null : DefaultCtrl),
    };

    private static EngineDescriptor ParseEngine(string text)
    {
        var (role, address) = (EngineRole.Hybrid, text);
        // A role comes before the first '='; a URL may hold one later.
        if (text.IndexOf('=', StringComparison.Ordinal) is > 0 and var split && NodeRoles.TryParse(text[..split], out role)) address = text[(split + 1)..];
        var url = NodeUrls.Normalize(address) ?? throw new ArgumentException($"--engine takes [prefill=|decode=|hybrid=|encoder=]URL, not '{text}'");
        return new EngineDescriptor { Id = url, Url = url, Role = role, Models = [] };
    }

    private static TimeSpan Seconds(ParseResult parsed, Option<double?> option, TimeSpan otherwise)
    {
        if (parsed.GetValue(option) is not { } seconds) return otherwise;
        RouterOptions.Require(seconds is >= 0 and <= 86_400, string.Create(CultureInfo.InvariantCulture, $"{option.Name} must be between 0 and 86400 seconds"));
        return TimeSpan.FromSeconds(seconds);
    }

    private static string[] Values(ParseResult parsed, Option<string[]> option) =>
        [.. (parsed.GetValue(option) ?? []).SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];

    private static Option<T> Named<T>(string name, string description, params string[] aliases)
    {
        var option = new Option<T>(name, aliases) { Description = description };
        var snake = "--" + name[2..].Replace('-', '_');
        if (snake != name && !aliases.Contains(snake)) option.Aliases.Add(snake);
        return option;
    }

    private static Option<string[]> Many(string name, string description, params string[] aliases)
    {
        var option = Named<string[]>(name, description, aliases);
        option.AllowMultipleArgumentsPerToken = true;
        return option;
    }
}
