using System.Diagnostics;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Stages;

/// <summary>Client spans of the stages, by the OpenTelemetry conventions for generative AI.</summary>
internal static class StageSpan
{
    /// <param name="stage"><c>prefill</c>, <c>decode</c> or <c>generate</c> (both in one engine).</param>
    /// <param name="node">The engine called.</param>
    /// <param name="request">The request it is for.</param>
    public static Activity? Start(string stage, Node node, InferenceRequest request)
    {
        var span = Telemetry.Source.StartActivity(stage, ActivityKind.Client);
        if (span is not { IsAllDataRequested: true }) return span;
        var url = new Uri(node.Url);
        span.SetTag("gen_ai.operation.name", request.Operation);
        span.SetTag("gen_ai.provider.name", "nanoaspire");
        span.SetTag("gen_ai.request.model", request.Model);
        span.SetTag("gen_ai.request.stream", request.Stream);
        span.SetTag("server.address", url.Host);
        span.SetTag("server.port", url.Port);
        span.SetTag("engine.id", node.Id);
        span.SetTag("engine.role", node.Role.ToString().ToLowerInvariant());
        return span;
    }
}
