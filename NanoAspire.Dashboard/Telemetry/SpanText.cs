namespace NanoAspire.Dashboard.Telemetry;

/// <summary>What kind of work a span is, by its attributes, and how to say it shortly.</summary>
internal static class SpanText
{
    public static IReadOnlyList<string> Types { get; } = ["http", "genai", "kv", "database", "rpc", "messaging", "other"];

    public static string TypeOf(Span span)
    {
        var attributes = span.Attributes;
        if (attributes.Text("gen_ai.provider.name") is not null || attributes.Text("gen_ai.system") is not null || attributes.Text("gen_ai.operation.name") is not null) return "genai";
        if (attributes.Text("http.request.method") is not null || attributes.Text("http.method") is not null) return "http";
        if (attributes.HasPrefix("kv.")) return "kv";
        if (attributes.HasPrefix("db.system")) return "database";
        if (attributes.Text("rpc.system") is not null) return "rpc";
        return attributes.Text("messaging.system") is not null ? "messaging" : "other";
    }

    /// <summary>The detail beside the name: a status code, a database, a size; empty when there is none.</summary>
    public static string Detail(Span span)
    {
        var attributes = span.Attributes;
        return TypeOf(span) switch
        {
            "http" => attributes.Text("http.response.status_code") ?? "",
            "database" => attributes.Text("db.system.name") ?? attributes.Text("db.system") ?? "",
            "genai" => Tokens(attributes),
            "kv" => attributes.Number("kv.bytes") is { } bytes ? Quantities.Bytes(bytes) : "",
            _ => "",
        };
    }

    /// <summary>Whom a client span without instrumented counterpart talks to; null when it says nothing.</summary>
    public static string? Peer(Span span, Func<string, string?> resourceAt)
    {
        if (span.Kind is not (SpanKind.Client or SpanKind.Producer)) return null;
        var attributes = span.Attributes;
        if (attributes.Text("peer.service") is { } service) return service;
        var host = attributes.Text("server.address") ?? attributes.Text("net.peer.name");
        var port = attributes.Text("server.port") ?? attributes.Text("net.peer.port");
        if (host is null && Uri.TryCreate(attributes.Text("url.full"), UriKind.Absolute, out var url)) (host, port) = (url.Host, url.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (host is null) return attributes.Text("db.system.name") ?? attributes.Text("db.system");
        var address = port is null ? host : $"{host}:{port}";
        return resourceAt(address) ?? attributes.Text("db.system.name") ?? address;
    }

    private static string Tokens(OtlpAttribute[] attributes) => (attributes.Number("gen_ai.usage.input_tokens"), attributes.Number("gen_ai.usage.output_tokens")) switch
    {
        ({ } input, { } output) => $"{input} → {output} tokens",
        (null, { } output) => $"{output} tokens",
        _ => "",
    };
}
