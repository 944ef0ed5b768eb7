using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using OpenTelemetry.Trace;

namespace NanoAspire.ServiceDefaults.Telemetry;

/// <summary>
/// Follows the caller's decision; without a caller, requests are sampled as <c>OTEL_TRACES_SAMPLER</c> says (all, by default) and HTTP calls
/// that belong to no request are not: heartbeats, watches and probes, every few seconds from every process, would bury the requests.
/// The called service sees the decision in the trace context and follows it. <c>Telemetry:TraceBackgroundCalls=true</c> keeps them.
/// </summary>
internal sealed class RequestSampler(IConfiguration configuration) : Sampler
{
    private const string HttpCall = "System.Net.Http.HttpRequestOut";

    private readonly bool _keepBackgroundCalls = configuration.GetValue<bool>("Telemetry:TraceBackgroundCalls");
    private readonly Sampler _root = RootSampler(configuration);

    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var parent = samplingParameters.ParentContext;
        if (parent.TraceId != default) return new SamplingResult(parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded));
        return samplingParameters.Name == HttpCall && !_keepBackgroundCalls ? new SamplingResult(SamplingDecision.Drop) : _root.ShouldSample(samplingParameters);
    }

    private static Sampler RootSampler(IConfiguration configuration) => configuration["OTEL_TRACES_SAMPLER"] switch
    {
        "always_off" or "parentbased_always_off" => new AlwaysOffSampler(),
        "traceidratio" or "parentbased_traceidratio" => new TraceIdRatioBasedSampler(
            double.TryParse(configuration["OTEL_TRACES_SAMPLER_ARG"], NumberStyles.Float, CultureInfo.InvariantCulture, out var ratio) ? Math.Clamp(ratio, 0, 1) : 1),
        _ => new AlwaysOnSampler(),
    };
}
